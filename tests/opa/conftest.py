"""What tests about the other engine share: a real OPA, and a server that only claims to be one."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from adjudge.evaluation import Case, Judge, Judgement, Settings, evaluate
from adjudge.gate.release import load_release, release_input
from adjudge.opa.engine import opa_engine
from adjudge.opa.target import Target, parse_target
from adjudge.policyset import load_policy_set

NOW = 1_790_000_000_000_000_000
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TOKEN = "s3cret-token"

AUTHZ = f"""
package system.authz

default allow := false

allow if input.identity == "{TOKEN}"

allow if input.path == ["health"]
"""


def opa_binary() -> str | None:
    """The real OPA: on the PATH, or where Go installs programs."""
    found = shutil.which("opa")
    if found:
        return found
    gopath = os.environ.get("GOPATH") or os.path.expanduser("~/go")
    if shutil.which("go"):
        asked = subprocess.run(["go", "env", "GOPATH"], capture_output=True, text=True)
        gopath = asked.stdout.strip() or gopath
    place = os.path.join(gopath, "bin", "opa")
    return place if os.access(place, os.X_OK) else None


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@dataclass
class Opa:
    """A running OPA."""

    port: int
    process: subprocess.Popen[bytes]
    token: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def target(self) -> Target:
        return parse_target(self.url)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of the API as JSON; text is sent as it is."""
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        request = Request(
            f"{self.url}/v1/{path}", None if body is None else data, headers, method=method
        )
        with urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def contents(self) -> tuple[list[str], Any]:
        """The ids of all policies, and all data."""
        policies = self.call("GET", "policies").get("result", [])
        return sorted(p["id"] for p in policies), self.call("GET", "data")["result"]

    def runs(self) -> tuple[list[str], Any]:
        """What adjudge left there."""
        policies, data = self.contents()
        return [p for p in policies if p.startswith("adjudge_runs/")], data.get("adjudge_runs", {})

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def running(*options: str, port: int | None = None, token: str | None = None) -> Iterator[Opa]:
    """A real OPA on the loopback interface; skips when there is none."""
    binary = opa_binary()
    if binary is None:
        pytest.skip("there is no opa on the PATH, nor among the programs of Go")
    port = port or free_port()
    command = [binary, "run", "--server", "--addr", f"127.0.0.1:{port}", "--log-level", "error"]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    opa = Opa(port, process, token)
    try:
        for _ in range(100):
            try:
                urlopen(f"{opa.url}/health", timeout=1).close()
                break
            except HTTPError:
                break
            except OSError:
                assert process.poll() is None, "opa ended"
                time.sleep(0.05)
        yield opa
    finally:
        opa.stop()


@pytest.fixture(scope="session")
def shared_opa() -> Iterator[Opa]:
    """One OPA for tests that leave it as it was."""
    with running() as opa:
        yield opa


@pytest.fixture
def opa(shared_opa: Opa) -> Iterator[Opa]:
    """An OPA; the test must leave nothing behind."""
    before = shared_opa.contents()
    yield shared_opa
    policies, data = shared_opa.contents()
    data.setdefault("adjudge_runs", {})
    before[1].setdefault("adjudge_runs", {})
    assert (policies, data) == before


@pytest.fixture
def own_opa() -> Iterator[Opa]:
    """An OPA that the test may do anything to."""
    with running() as opa:
        yield opa


@pytest.fixture(scope="session")
def guarded_opa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opa]:
    """An OPA that answers only those who have its token."""
    policy = tmp_path_factory.mktemp("authz") / "authz.rego"
    policy.write_text(AUTHZ)
    options = ("--authentication=token", "--authorization=basic", str(policy))
    with running(*options, token=TOKEN) as opa:
        yield opa


# --- judging by both engines ---------------------------------------------------------------------


@dataclass
class Subject:
    """Policies, and a case to judge by them."""

    judge: Judge
    case: Case
    settings: Settings = field(default_factory=lambda: Settings(now_ns=NOW))

    def embedded(self) -> Judgement:
        return evaluate(self.judge, self.case, self.settings)

    def opa(self, target: Target, warnings: list[str] | None = None) -> Judgement:
        warn: Callable[[str], None] = pytest.fail if warnings is None else warnings.append
        judge = self.judge
        with opa_engine(target, judge.policies, judge.entries, judge.evidence, warn) as engine:
            return evaluate(judge, self.case, self.settings, None, engine)


def case_of(folder: Path, kinds: Mapping[str, str] | None = None, raw: bool = False) -> Case:
    """What is in a folder, as a case."""
    paths = [str(p) for p in sorted(folder.iterdir())] if kinds else [str(folder)]
    release = load_release(paths, kinds=kinds or {})
    return Case(
        documents=release.artifacts,
        release=release.info,
        release_input=release_input(release, None, NOW, None, {}, degradations=[]),
        release_digest=release.digest,
        locate_release=release.locate,
        raw=raw,
    )


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Subject]:
    """A subject from texts: policies by name, and one JSON document that rules see as it is."""

    def make(policies: dict[str, str], document: Any = None, **options: Any) -> Subject:
        rules, files = tmp_path / "policies", tmp_path / "files"
        rules.mkdir()
        files.mkdir()
        for name, text in policies.items():
            (rules / name).parent.mkdir(parents=True, exist_ok=True)
            (rules / name).write_text(text)
        (files / "x.json").write_text(json.dumps({} if document is None else document))
        judge = Judge(load_policy_set([rules], v0=options.pop("v0", False)))
        case = case_of(files, {"*": "generic"}, raw=True)
        return Subject(judge, case, Settings(now_ns=NOW, **options))

    return make


def told(judgement: Judgement) -> list[tuple[Any, ...]]:
    """What both engines must agree on.

    Sorted: the record orders findings that name no place by what they read, and OPA does not
    tell that.
    """
    found = [
        (r.rule_id, r.outcome, r.message, r.severity, r.location, r.remediation, r.details)
        for r in judgement.decision.results
    ]
    return sorted(found, key=repr)


# --- a server that is no OPA ---------------------------------------------------------------------


class Fake:
    """An HTTP server that answers what it is told to.

    ``answer`` gets the handler, with ``method``, ``path`` and ``body``.
    """

    def __init__(self, answer: Callable[[Any], None]) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                fake.requests.append((self.command, self.path, body))
                try:
                    answer(self)
                except OSError:
                    pass
                self.close_connection = True

            do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = handle_one

            def log_message(self, *arguments: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def reply(handler: Any, status: int, body: bytes | str | dict[str, Any], **headers: str) -> None:
    """Send a whole answer."""
    if isinstance(body, dict):
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(raw)))
    handler.send_header("Connection", "close")
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(raw)


@pytest.fixture
def fake() -> Iterator[Callable[[Callable[[Any], None]], Fake]]:
    """Starts servers that answer what they are told to."""
    started: list[Fake] = []

    def start(answer: Callable[[Any], None]) -> Fake:
        started.append(Fake(answer))
        return started[-1]

    yield start
    for each in started:
        each.stop()
