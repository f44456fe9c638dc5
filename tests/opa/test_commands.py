"""The commands with ``--engine``, as a person calls them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from tests.opa.conftest import TOKEN, Fake, Opa, free_port, reply

from adjudge.cli import main

POLICY = """package own

# METADATA
# custom: {id: OWN-1, severity: high}
deny contains {"msg": "x is too large", "pointer": "/x"} if input.x > data.most
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with policies and an input."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "ADJUDGE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "own.rego").write_text(POLICY)
    (tmp_path / "p" / "data.json").write_text('{"most": 2}')
    (tmp_path / "x.json").write_text('{"x": 3}')
    return tmp_path


CHECK = ("check", "x.json", "--raw", "-p", "p")


def test_check(work: Path, opa: Opa, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CHECK, "--engine", f"opa={opa.url}", "-o", "json=out.json"]) == 1
    assert "x is too large" in capsys.readouterr().out
    record = json.loads((work / "out.json").read_text())
    assert record["engine"]["name"] == "opa"
    assert record["engine"]["backend"] == "opa"
    assert re.fullmatch(r"[0-9]+\.[0-9]+\..*", record["engine"]["version"])
    (about,) = [d for d in record["degradations"] if d["code"] == "opa_engine"]
    assert about["detail"]["url"] == opa.url
    (result,) = record["results"]
    assert [(e["pointer"], e["value"]) for e in result["evidence"]] == [("/document/x", 3)]
    assert result["source"] == {"file": "x.json", "line": 1, "column": 7}


def test_eval(work: Path, opa: Opa, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["eval", "-d", "p", "-i", "x.json", "data.own.deny[x]"]
    assert main(arguments) == 0
    here = capsys.readouterr().out
    assert main([*arguments, "--engine", f"opa={opa.url}"]) == 0
    assert capsys.readouterr().out == here


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--engine", "opa"], "unknown_engine"),
        (["--engine", "regorus"], "unknown_engine"),
        (["--engine", "opa=127.0.0.1:8181"], "opa_url_invalid"),
        (["--opa-no-push"], "engine_option_unused"),
        (["--opa-token-file", "none"], "engine_option_unused"),
        (["--engine", "opa=http://127.0.0.1:1", "--opa-token-file", "none"], "opa_token_invalid"),
        (["--engine", "opa=http://127.0.0.1:1", "--opa-ca", "none"], "opa_ca_unreadable"),
    ],
)
def test_bad_usage(
    options: list[str], code: str, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (CHECK, ("eval", "1"), ("serve", "-p", "p", "--no-log")):
        assert main([*command, *options]) == 2
        assert f"error: {code}: " in capsys.readouterr().err


def test_what_opa_cannot_tell_is_not_asked_for(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in (["--explain", "full"], ["--profile"], ["--coverage"], ["--opa-no-push"]):
        assert main(["eval", "1", "--engine", "opa=http://127.0.0.1:1", *option]) == 2
        captured = capsys.readouterr()
        assert "engine_option_unsupported" in captured.err + captured.out


def test_no_verdict_and_nothing_written(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert main([*CHECK, "--engine", f"opa={url}", "-o", "json=out.json"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: opa_unreachable: cannot reach OPA at {url}: ")
    assert "hint: " in captured.err
    assert captured.out == ""
    assert not (work / "out.json").exists()


def test_withheld_builtins_are_refused_before_anything_is_sent(
    work: Path, fake: Callable[..., Fake], capsys: pytest.CaptureFixture[str]
) -> None:
    server = fake(lambda handler: reply(handler, 500, b""))
    (work / "p" / "more.rego").write_text(
        'package more\ndeny contains "x" if http.send({"method": "get", "url": "http://x"})\n'
    )
    assert main([*CHECK, "--engine", f"opa={server.url}"]) == 2
    assert "http.send is withheld" in capsys.readouterr().err
    assert server.requests == []


def test_tokens_are_printed_nowhere(
    work: Path, guarded_opa: Opa, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "token").write_text(TOKEN)
    (work / "wrong").write_text("wrong-token")
    engine = ["--engine", f"opa={guarded_opa.url}", "--opa-token-file"]
    assert main([*CHECK, *engine, "token", "-o", "json=out.json"]) == 1
    assert main([*CHECK, *engine, "wrong"]) == 2
    captured = capsys.readouterr()
    assert "error: opa_unauthorised: " in captured.err
    for text in (captured.out, captured.err, (work / "out.json").read_text()):
        assert TOKEN not in text
        assert "wrong-token" not in text


def adjudge(*arguments: str) -> subprocess.Popen[str]:
    """The command as a process."""
    return subprocess.Popen(
        [sys.executable, "-c", "import sys, adjudge.cli; sys.exit(adjudge.cli.main())", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_a_check_that_is_terminated_clears_up(work: Path, fake: Callable[..., Fake]) -> None:
    waiting: list[str] = []

    def answer(handler: Any) -> None:
        if "/ask/answer" in handler.path:
            waiting.append(handler.path)
            time.sleep(20)
        elif handler.command == "POST":
            reply(handler, 200, {"provenance": {"version": "1.22.0"}})
        else:
            reply(handler, 204 if "/data/" in handler.path else 200, b"{}")

    server = fake(answer)
    process = adjudge(*CHECK, "--engine", f"opa={server.url}", "--opa-timeout", "60")
    for _ in range(400):
        if waiting:
            break
        time.sleep(0.05)
    assert waiting, process.poll()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert (out, err.strip()) == ("", "interrupted")
    assert process.returncode == 2
    put = sorted(path for method, path, _ in server.requests if method == "PUT")
    deleted = sorted(path for method, path, _ in server.requests if method == "DELETE")
    assert put == deleted
    assert len(put) == 3


def test_serve(work: Path, opa: Opa) -> None:
    port = free_port()
    process = adjudge(
        "serve", "-p", "p", "--addr", f"127.0.0.1:{port}", "--no-log", "--engine", f"opa={opa.url}"
    )
    try:
        assert process.stderr is not None
        assert "serving 1 modules" in process.stderr.readline()
        assert opa.runs()[0]
        body = json.dumps({"input": {"x": 3}}).encode()
        url = f"http://127.0.0.1:{port}/v1/data/own/deny"
        with urlopen(Request(url, body), timeout=10) as answer:
            assert json.loads(answer.read()) == {
                "result": [{"msg": "x is too large", "pointer": "/x"}]
            }
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0
