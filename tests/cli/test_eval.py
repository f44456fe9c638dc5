"""``adjudge eval`` beside the real ``opa eval``: answers, formats, exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Result, Run, write

MODULE = """package app

default allow := false
allow if input.user == "x"

deny contains "no user" if not input.user
deny contains sprintf("%v is too old", [input.age]) if input.age > data.limits.age

bad := 1 / 0

pair[k] := v if some k, v in {"a": 1, "b": 2}

conflict := x if some x in [1, 2]
"""


@pytest.fixture(autouse=True)
def files(work: Path) -> None:
    """Modules, data and an input."""
    write(
        work,
        {
            "app/app.rego": MODULE,
            "app/limits/data.json": '{"age": 7}',
            "limits.yaml": "limits: {age: 7}\n",
            "input.json": '{"user": "y", "age": 8, "big": 12345678901234567890, "f": 1.0}',
            "broken.rego": "package broken\n\np if {\n",
        },
    )


@pytest.fixture(scope="session")
def opa_program() -> str:
    """The real OPA."""
    found = shutil.which("opa") or os.path.expanduser("~/go/bin/opa")
    if not os.path.exists(found):
        pytest.skip("opa is not installed")
    return found


@pytest.fixture
def opa(opa_program: str, work: Path) -> Callable[..., Result]:
    """Runs the real OPA."""

    def call(*words: str) -> Result:
        done = subprocess.run([opa_program, *words], cwd=work, capture_output=True, timeout=60)
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


LOADED = ("-d", "app/app.rego", "-d", "limits.yaml", "-i", "input.json")

QUERIES = [
    "1 + 1",
    '"text"',
    "[1, {2, 3}, null, true, 1.50]",
    "data.app.allow",
    "data.app.deny",
    "data.app.nothing",
    "data.app.bad",
    "x := data.app.pair[k]",
    "some x in [1, 2, 3]; x > 1",
    "x = 1; y = x + 1",
    "false",
    "1 == 2",
    "input.big",
    "input.f",
    "data.limits",
    "walk(input, [p, v])",
    'time.parse_rfc3339_ns("2026-01-01T00:00:00Z")',
]


def stable(value: Any) -> Any:
    """A JSON value without what differs from run to run."""
    if isinstance(value, dict):
        return {k: stable(v) for k, v in value.items() if k not in ("metrics",)}
    return [stable(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("query", QUERIES)
def test_answers_are_those_of_opa(run: Run, opa: Callable[..., Result], query: str) -> None:
    mine, theirs = run("eval", *LOADED, query), opa("eval", *LOADED, query)
    assert mine.code == theirs.code
    assert stable(mine.json) == stable(theirs.json)


@pytest.mark.parametrize("format_", ["raw", "values", "bindings", "discard"])
@pytest.mark.parametrize(
    "query", ["data.app.deny", "x = 1; y = x + 1", '"text"', "data.app.nothing"]
)
def test_formats_are_those_of_opa(
    run: Run, opa: Callable[..., Result], format_: str, query: str
) -> None:
    words = ("eval", *LOADED, "--format", format_, query)
    mine, theirs = run(*words), opa(*words)
    assert mine.code == theirs.code
    assert mine.out.split() == theirs.out.split()


@pytest.mark.parametrize(
    "words",
    [
        ("--fail", "data.app.nothing"),
        ("--fail", "data.app.allow"),
        ("--fail", "data.app.deny"),
        ("--fail", "false"),
        ("--fail-defined", "data.app.nothing"),
        ("--fail-defined", "data.app.deny"),
        ("--fail-defined", "false"),
        ("--fail", "1 == 2"),
        ("--strict-builtin-errors", "data.app.bad"),
        ("data.app.conflict",),
        ("1 +",),
        ("nonsense(1)",),
        ("-d", "broken.rego", "1"),
        ("-d", "nowhere.rego", "1"),
        ("-i", "nowhere.json", "1"),
    ],
)
def test_exit_codes_are_those_of_opa(
    run: Run, opa: Callable[..., Result], words: tuple[str, ...]
) -> None:
    theirs = opa("eval", *LOADED[:4], *words).code
    mine = run("eval", *LOADED[:4], *words)
    assert "internal error" not in mine.err
    assert mine.code == theirs


def test_queries_and_inputs_from_standard_input(process: Run) -> None:
    given = process("eval", "-I", "input.a", given=b'{"a": [1]}')
    assert given.json["result"][0]["expressions"][0]["value"] == [1]
    query = process("eval", "--stdin", "--format", "raw", given=b"1 + 2\n")
    assert query.out == "3\n"


def test_what_a_gate_may_not_do_is_not_done(run: Run) -> None:
    """Unlike OPA: nothing is sent anywhere unless it is granted."""
    refused = run("eval", 'http.send({"method": "get", "url": "http://127.0.0.1:1"})')
    assert refused.code == 2
    assert "http.send" in refused.err + refused.out


def test_numbers_keep_their_digits(run: Run) -> None:
    text = run("eval", "-i", "input.json", "input.big").out
    assert "12345678901234567890" in text
    assert json.loads(text)["result"][0]["expressions"][0]["value"] == 12345678901234567890
