"""Fixtures: both test runners over a folder of modules."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adjudge.cli import main


@dataclass(frozen=True)
class Ran:
    """What one run printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """The lines printed, without times."""
        return [re.sub(r" \([\d.]+(ns|µs|ms|s)\)$", "", line) for line in self.out.splitlines()]


Runner = Callable[..., Ran]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(work: Path) -> Callable[[Mapping[str, str]], None]:
    """Writes files by name and text."""

    def put(files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    return put


@pytest.fixture
def ours(capsys: pytest.CaptureFixture[str]) -> Runner:
    """Runs ``adjudge`` in this process."""

    def run(*words: str) -> Ran:
        capsys.readouterr()
        code = main(words)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture(scope="session")
def opa_program() -> str:
    """The real OPA."""
    found = shutil.which("opa") or os.path.expanduser("~/go/bin/opa")
    if not os.path.exists(found):
        pytest.skip("opa is not installed")
    return found


@pytest.fixture
def opa(opa_program: str, work: Path) -> Runner:
    """Runs the real OPA."""

    def run(*words: str) -> Ran:
        done = subprocess.run([opa_program, *words], cwd=work, capture_output=True, timeout=120)
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def verdicts() -> Callable[[Any], dict[Any, Any]]:
    """The results of a JSON report by test, without what differs from run to run."""

    def read(report: list[dict[str, Any]]) -> dict[Any, Any]:
        found = {}
        for result in report:
            place = result["location"]
            key = (place["file"], place["row"], result["package"], result["name"])
            found[key] = {k: v for k, v in result.items() if k not in ("duration", "trace")}
            error = result.get("error")
            if error:
                # OPA has a list where compiling the query failed.
                first = error[0] if isinstance(error, list) else error
                found[key]["error"] = first["code"]
        assert len(found) == len(report)
        return found

    return read
