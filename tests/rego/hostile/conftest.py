"""Runs hostile policies in a child process with little memory and little time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
MEMORY = 3 << 30
"""The address space of a child.  Libraries and threads take much of it without using it."""
PATIENCE = 120

CHILD = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (%d, %d))
from adjudge.rego import UNDEFINED, Options, RegoErrors, RegoEvalError, compile_modules
from adjudge.rego.runtime.limits import Limits

for line in sys.stdin:
    case = json.loads(line)
    limits = Limits(seconds=case["seconds"], steps=case["steps"], size=case["size"])
    options = Options(now_ns=0, limits=limits, strict_builtin_errors=True)
    try:
        text, input_ = eval(case["make"])
        program = compile_modules({"t.rego": text})
        value = program.rule("data.t.p").eval(input_, options=options)
        result = "undefined" if value is UNDEFINED else "value"
    except RegoErrors as errors:
        errors.render()
        result = errors.errors[0].code
    except RegoEvalError as error:
        result = error.code
    except BaseException as error:
        result = f"leaked {type(error).__name__}: {error}"[:300]
    print(json.dumps(result), flush=True)
"""

Attempt = Callable[..., str]


@pytest.fixture(scope="session")
def attempt() -> Any:
    """Compile and evaluate a policy in the child: the code of the error, ``value``,
    ``undefined`` or ``leaked ...``; a child that dies or hangs fails the test.

    The policy is given as a Python expression for ``(text, input)``, made in the child.
    """
    child = _Child()
    yield child.ask
    child.stop()


class _Child:
    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def _start(self) -> subprocess.Popen[str]:
        code = CHILD % (MEMORY, MEMORY)
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "engine"), "MALLOC_ARENA_MAX": "2"}
        return subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def ask(
        self, make: str, *, seconds: float = 2.0, steps: int = 5_000_000, size: int = 1_000_000
    ) -> str:
        """One attempt; the child lives on for the next one."""
        if self._process is None or self._process.poll() is not None:
            self._process = self._start()
        question = {"make": make, "seconds": seconds, "steps": steps, "size": size}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = _read(self._process)
        if answer is None:
            self.stop()
            return "the process died or hung"
        return str(json.loads(answer))

    def stop(self) -> None:
        """End the child."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _read(process: subprocess.Popen[str]) -> str | None:
    """A line of the child's answer, None when it ends or takes too long."""

    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        return process.stdout.readline() or None
    finally:
        timer.cancel()
