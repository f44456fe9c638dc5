"""``adjudge eval``'s options beside those of the real ``opa eval``."""

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

Opa = Callable[..., Result]

MODULE = """package app

import data.limits

default allow := false

allow if {
	input.user == "x"
	input.age < limits.age
}

noted if {
	some x in [1, 2, 3]
	x > 2
	trace(sprintf("x is %d", [x]))
}

bad := 1 / 0

conflict := x if some x in [1, 2]

number(x) := to_number(x)

two if {
	print("two", input.user)
	count(input.user) == 2
}
"""

SCHEMA = {
    "type": "object",
    "properties": {"user": {"type": "string"}, "age": {"type": "number"}},
}


@pytest.fixture(autouse=True)
def files(work: Path) -> None:
    """Modules, data, an input, bundles and schemas."""
    write(
        work,
        {
            "app/app.rego": MODULE,
            "app/limits/data.json": '{"age": 7}',
            "in.json": '{"user": "x", "age": 3}',
            "in.yaml": "user: x\nage: 3\n",
            "one.json": '{"a": {"b": 1}}',
            "two.json": '{"a": {"b": 2}}',
            "bundle/x/data.json": '{"y": [1]}',
            "bundle/x/other.json": '{"z": 2}',
            "bundle/p.rego": "package p\n\nq := data.x.y\n",
            "bundle/.manifest": '{"revision": "r", "roots": ["x", "p"]}',
            "schema.json": json.dumps(SCHEMA),
            "schemas/in.json": json.dumps(SCHEMA),
            "typed.rego": "package typed\n\np := input.nope\n",
            "annotated.rego": "package typed\n\n# METADATA\n# schemas:\n#   - input: schema.in\n"
            "p := input.nope\n",
            "strict.rego": "package strict\n\np if {\n\tx := 1\n}\n",
            "old.rego": "package old\n\np { input.user }\n",
            "broken.rego": "package broken\n\np if {\n",
            "unsafe.rego": "package unsafe\n\np if x\n\nq if input.y(1)\n",
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
def opa(opa_program: str, work: Path) -> Opa:
    """Runs the real OPA."""

    def call(*words: str) -> Result:
        done = subprocess.run([opa_program, *words], cwd=work, capture_output=True, timeout=60)
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


LOADED = ("-d", "app", "-i", "in.json")


@pytest.mark.parametrize(
    "words",
    [
        (*LOADED, "data.app.allow"),
        ("-d", "app", "-i", "in.yaml", "data.app.allow"),
        (*LOADED, "--package", "app", "allow"),
        (*LOADED, "--import", "data.app", "app.allow"),
        (*LOADED, "--import", "data.app.limits as l", "l.age"),
        (*LOADED, "data.app.bad"),
        (*LOADED, "1 + 1 == 3"),
        (*LOADED, "x := count([1]) == 2"),
        (*LOADED, "false; 1"),
        (*LOADED, "[1, 2][_] == 2"),
        (*LOADED, "not false"),
        ("-d", "x.y:one.json", "data"),
        ("-d", "one.json", "-d", "one.json", "data"),
        ("-b", "bundle", "data.p.q"),
        ("-b", "bundle", "data.x"),
        ("-d", "bundle", "data.x"),
        ("--v0-compatible", "-d", "old.rego", "-i", "in.json", "data.old.p"),
        (*LOADED, "--target", "rego", "data.app.allow"),
        (*LOADED, "--ignore", "data.json", "data.app.limits"),
        (*LOADED, "--disable-indexing", "data.app.allow"),
        (*LOADED, "--format", "discard", "data.app.allow"),
        (*LOADED, "--count", "3", "data.app.allow"),
        ("-S", "-d", "app", "data.app.allow"),
        ("-s", "schema.json", "-d", "app", "data.app.allow"),
        ("--fail-defined", "data.nothing"),
    ],
    ids=" ".join,
)
def test_output_is_that_of_opa_byte_for_byte(run: Run, opa: Opa, words: tuple[str, ...]) -> None:
    mine, theirs = run("eval", *words), opa("eval", *words)
    assert (mine.code, mine.out) == (theirs.code, theirs.out)


@pytest.mark.parametrize(
    "words",
    [
        ("-d", "unsafe.rego", "data"),
        ("-d", "one.json", "-d", "two.json", "data"),
        ("-d", "nowhere", "data"),
        ("-d", "app", "nonsense(1)"),
        ("-d", "app", "count(1)"),
        ("-d", "app", "--strict-builtin-errors", 'data.app.number("a")'),
        ("-d", "app", "--strict-builtin-errors", "data.app.bad"),
        ("-s", "schema.json", "-d", "typed.rego", "data.typed"),
        ("-s", "schemas", "-d", "annotated.rego", "data.typed"),
        ("-S", "-d", "strict.rego", "data.strict"),
        ("-d", "app", "data.app.conflict"),
        ("-d", "old.rego", "data"),
    ],
    ids=" ".join,
)
def test_errors_are_those_of_opa(run: Run, opa: Opa, words: tuple[str, ...]) -> None:
    mine, theirs = run("eval", *words), opa("eval", *words)
    assert mine.code == theirs.code == 2
    places = [[_place(e) for e in each.json["errors"]] for each in (mine, theirs)]
    assert places[0] == places[1]


def _place(error: dict[str, Any]) -> tuple[Any, ...]:
    known = str(error.get("code", "")).startswith(("rego_", "eval_"))
    return (error["code"] if known else None, (error.get("location") or {}).get("row"))


def test_failing_builtins_are_told_and_stop_nothing(run: Run, opa: Opa) -> None:
    words = ("eval", "-d", "app", "--show-builtin-errors", "x := [1 | data.app.bad]")
    mine, theirs = run(*words), opa(*words)
    assert mine.code == theirs.code == 0
    assert mine.json["result"] == theirs.json["result"]
    assert [e["message"] for e in mine.json["errors"]] == ["div: divide by zero"]
    assert [e["message"] for e in theirs.json["errors"]] == ["div: divide by zero"]


@pytest.mark.parametrize(
    "query", ["data.app.allow", "x := 1; y := x + 1; [x, y]", "x := [1, 2][_]", "data.nothing"]
)
def test_tables_are_those_of_opa(run: Run, opa: Opa, query: str) -> None:
    words = ("eval", *LOADED, "--format", "pretty", query)
    mine, theirs = run(*words), opa(*words)
    assert (mine.code, mine.out) == (theirs.code, theirs.out)


@pytest.mark.parametrize(
    "words",
    [
        ("--metrics",),
        ("--metrics", "--count", "3"),
        ("--profile",),
        ("--profile", "--count", "3"),
        ("--profile-limit", "1"),
        ("--profile-sort", "line"),
        ("--coverage",),
    ],
    ids=" ".join,
)
def test_measurements_have_the_shape_of_opa(run: Run, opa: Opa, words: tuple[str, ...]) -> None:
    mine = run("eval", *LOADED, *words, "data.app.noted").json
    theirs = opa("eval", *LOADED, *words, "data.app.noted").json
    assert list(mine) == list(theirs)
    assert _shape(mine) == _shape(theirs)


def _shape(value: Any) -> Any:
    """The keys of a report, and its numbers where they do not depend on time."""
    if isinstance(value, dict):
        return {k: _shape(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_shape(v) for v in value[:1]]
    return isinstance(value, str)


def test_coverage_is_that_of_opa(run: Run, opa: Opa) -> None:
    words = ("eval", *LOADED, "--coverage", "data.app.allow")
    mine, theirs = run(*words).json["coverage"], opa(*words).json["coverage"]
    assert mine["covered_lines"] == theirs["covered_lines"]
    assert mine["files"]["app/app.rego"]["covered"] == theirs["files"]["app/app.rego"]["covered"]


def test_profiles_count_as_opa_does(run: Run, opa: Opa) -> None:
    words = ("eval", *LOADED, "--profile", "--profile-sort", "line", "data.app.noted")
    mine, theirs = run(*words).json["profile"], opa(*words).json["profile"]

    def evaluated(lines: list[dict[str, Any]]) -> dict[int, int]:
        return {
            line["location"]["row"]: line["num_eval"] for line in lines if line["location"]["file"]
        }

    # Of `some x in …` OPA counts the expression that it makes for the collection, too.
    found, expected = evaluated(mine), evaluated(theirs)
    assert found == {row: expected[row] - (row == 13) for row in expected}


def test_traces_tell_what_failed(run: Run) -> None:
    shown = run("eval", *LOADED, "--format", "pretty", "--explain", "fails", "data.app.two").out
    lines = [line.split(None, 1) for line in shown.splitlines()]
    assert ["query:1", "Enter data.app.two"] in lines
    assert ["app/app.rego:26", "| | Fail count(input.user) == 2"] in lines
    assert ["query:1", "| Fail data.app.two"] in lines
    assert shown.endswith("undefined\n")


def test_traces_tell_notes(run: Run, opa: Opa) -> None:
    words = ("eval", *LOADED, "--format", "pretty", "--explain", "notes", "data.app.noted")
    mine, theirs = run(*words).out.splitlines(), opa(*words).out.splitlines()
    notes = [[line.split() for line in lines if "Note" in line] for lines in (mine, theirs)]
    assert notes[0] == notes[1]
    events = run("eval", *LOADED, "--explain", "notes", "data.app.noted").json["explanation"]
    assert [e["Op"] for e in events] == ["Enter", "Enter", "Note"]
    assert events[-1]["Message"] == "x is 3"


def test_prints_go_to_standard_error(run: Run) -> None:
    answered = run("eval", *LOADED, "data.app.two")
    assert answered.err == "two x\n"
    assert answered.json == {}


@pytest.mark.parametrize(
    "words",
    [
        ("--partial", "1"),
        ("--unknowns", "input", "1"),
        ("--format", "source", "1"),
        ("--fail", "--fail-defined", "1"),
        ("--stdin", "1"),
        ("--profile-sort", "nothing", "1"),
        ("--capabilities", "nowhere.json", "1"),
        (),
    ],
    ids=" ".join,
)
def test_what_cannot_be_asked_for(run: Run, words: tuple[str, ...]) -> None:
    refused = run("eval", *words)
    assert refused.code == 2
    assert refused.out == ""
    assert "internal error" not in refused.err


def test_time_ends_an_evaluation(run: Run, opa: Opa) -> None:
    words = ("eval", "--timeout", "50ms", "count([1 | numbers.range(1, 9000000)[_] > 0])")
    assert run(*words).code == opa(*words).code == 2
