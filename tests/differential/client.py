"""Cases in, the answers of ``--engine opa=URL`` out: a real OPA, asked through the client."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.differential.compare import LIMITS, Answers, Failed, Invalid, Unknown, plain
from tests.differential.generate import Case
from tests.differential.opa import STARTED_WITHIN

from adjudge.opa.answering import opa_answers
from adjudge.opa.errors import OpaError
from adjudge.opa.target import Target
from adjudge.rego import Options, RegoErrors, RegoEvalError, compile_modules
from adjudge.rego.runtime.values import UNDEFINED


@contextlib.contextmanager
def serving(executable: str) -> Iterator[Target]:
    """An OPA that listens on the loopback interface."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [executable, "run", "--server", "--addr", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [*command, "--log-level", "error", "--disable-telemetry"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        yield Target("http", "127.0.0.1", port)
    finally:
        process.terminate()
        process.wait()


def _wait(port: int) -> None:
    end = time.monotonic() + STARTED_WITHIN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def by_client(target: Target) -> Callable[[Case], Answers]:
    """Asks the OPA at a target."""

    def ask(case: Case) -> Answers:
        try:
            program = compile_modules(case.modules, data=case.data)
        except RegoErrors as errors:  # is refused before anything is sent
            return Invalid(tuple(sorted({e.code for e in errors.errors})))
        try:
            with opa_answers(target, program.modules, case.data, print) as answers:
                return [_value(answers, path, case) for path in case.paths]
        except OpaError as error:
            return [Failed((error.code,)) for _ in case.paths]

    return ask


def _value(answers: Any, path: tuple[str, ...], case: Case) -> Any:
    options = Options(now_ns=0, limits=LIMITS, strict_builtin_errors=case.strict)
    if case.input is ...:
        return Unknown("without an input")
    try:
        value = answers.value(path, case.input, options)
    except RegoEvalError as error:
        return Failed((error.code,))
    return ... if value is UNDEFINED else plain(value)


def same_but_rounded(left: Any, right: Any) -> bool:
    """Whether values are equal but for digits that a float does not have: the client reads
    numbers as JSON parsers do."""
    if (
        isinstance(left, tuple)
        and isinstance(right, tuple)
        and left[:1] == right[:1] == ("number",)
    ):
        return float(left[1]) == float(right[1])
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_but_rounded, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            same_but_rounded(value, right[key]) for key, value in left.items()
        )
    return bool(left == right)
