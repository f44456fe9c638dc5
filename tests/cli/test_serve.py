"""``adjudge serve`` as a process: requests, the log, stopping, addresses."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run, write

from adjudge.ledger import Ledger

pytest.importorskip("uvicorn")

APP = """package app

default allow := false
allow if input.user == "x"
allow if input.user == data.users[_]

slow if {
    some a in numbers.range(1, 4000)
    some b in numbers.range(1, 4000)
    a * b == -1
}
"""


class Served:
    """A running service."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        assert process.stderr is not None
        self.greeting = process.stderr.readline().decode()
        self.port = int(self.greeting.rpartition(":")[2])

    def post(self, path: str, body: Any, timeout: float = 30) -> tuple[int, Any]:
        """Status and answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        connection.request("POST", path, json.dumps(body))
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """The exit code and what was said at the end."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=30)
        return self.process.returncode, err.decode()


Serve = Callable[..., Any]


@pytest.fixture
def serve(start: Callable[..., subprocess.Popen[bytes]], work: Path) -> Serve:
    """Runs the service on a free port for a while."""
    write(work, {"app/app.rego": APP, "users.json": '{"users": ["y"]}'})

    @contextmanager
    def run(*words: str) -> Iterator[Served]:
        process = start("serve", "-p", "app", "--addr", "127.0.0.1:0", *words)
        try:
            yield Served(process)
        finally:
            process.kill()
            process.communicate()

    return run


def test_requests_are_answered_and_logged(serve: Serve, work: Path, run: Run) -> None:
    with serve("--log", "log.db", "-d", "users.json") as served:
        assert served.greeting.startswith("serving 1 modules on http://127.0.0.1:")
        answers = [
            served.post("/v1/data/app/allow", {"input": {"user": user}}) for user in ("x", "y", "z")
        ]
        assert [a["result"] for _, a in answers] == [True, True, False]
        code, said = served.stop()
    assert (code, said) == (0, "stopped\n")
    assert sorted(p.name for p in work.glob("log.db*")) == ["log.db"]
    report = run("report", "--log", "log.db").json
    assert report["outcomes"] == {"allow": 2, "deny": 1, "no_verdict": 0}
    assert [d["decision_id"] for d in report["decisions"]] == [a["decision_id"] for _, a in answers]


def test_a_request_in_flight_is_answered_before_the_service_stops(serve: Serve, work: Path) -> None:
    found: list[Any] = []

    def ask(served: Served) -> None:
        found.append((served.post("/v1/data/app/slow", {"input": {}}), time.monotonic()))

    with serve("--log", "log.db") as served:
        asked = threading.Thread(target=ask, args=(served,))
        asked.start()
        time.sleep(0.3)
        signalled = time.monotonic()
        assert served.stop() == (0, "stopped\n")
        asked.join(30)
    (((status, answer), answered),) = found
    assert answered > signalled
    # On a slow machine the time limit ends the evaluation; that is an answer, too.
    assert (status, answer.get("code")) in ((200, None), (500, "internal_error"))
    with Ledger.open(work / "log.db") as log:
        (entry,) = log.decisions()
    assert entry.decision.subject[0].name == "app/slow"


def test_no_log_leaves_no_file(serve: Serve, work: Path) -> None:
    with serve("--no-log") as served:
        assert "decision_id" not in served.post("/v1/data/app/allow", {"input": {}})[1]
        assert served.stop(signal.SIGINT) == (0, "stopped\n")
    assert not list(work.glob("*.db*"))


def test_an_address_in_use(run: Run, work: Path) -> None:
    write(work, {"app/app.rego": APP})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "-p", "app", "--addr", f"127.0.0.1:{port}")
    assert (result.code, result.error) == (2, "address_unavailable")
    assert "Address already in use" in result.err
    assert not (work / "adjudge.db").exists()


@pytest.mark.parametrize(
    ("addr", "code"),
    [
        ("8181", "address_invalid"),
        ("", "address_invalid"),
        ("localhost:", "address_invalid"),
        ("localhost:99999", "address_invalid"),
        ("localhost:http", "address_invalid"),
        ("host.invalid:8181", "address_unavailable"),
        ("a..b:8181", "address_unavailable"),
        ("x" * 300 + ":1", "address_unavailable"),
    ],
)
def test_addresses_that_are_none(run: Run, work: Path, addr: str, code: str) -> None:
    write(work, {"app/app.rego": APP})
    result = run("serve", "-p", "app", "--addr", addr, "--no-log")
    assert (result.code, result.error) == (2, code)


def test_policies_that_do_not_compile_are_told_before_anything_listens(
    run: Run, work: Path
) -> None:
    write(work, {"app/app.rego": "package app\n\nallow if {\n"})
    result = run("serve", "-p", "app")
    assert result.code == 2
    assert "app/app.rego:" in result.err
    assert not (work / "adjudge.db").exists()


def test_a_log_that_is_none(run: Run, work: Path) -> None:
    write(work, {"app/app.rego": APP})
    result = run("serve", "-p", "app", "--addr", "127.0.0.1:0", "--log", "waivers.yaml")
    assert (result.code, result.error) == (2, "ledger_unavailable")


def test_without_the_extra_it_says_how_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = run("serve", "-p", "policies")
    assert (result.code, result.error) == (2, "extra_missing")
    assert "the service needs uvicorn" in result.err
    assert "pip install 'adjudge[service]'" in result.err
