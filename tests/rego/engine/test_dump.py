"""Dumped programs: the same answers, and nothing compiled."""

from __future__ import annotations

import marshal
from typing import Any

import pytest

from adjudge.rego import Options, Program, compile_modules
from adjudge.rego.evidence import EvidenceProgram, Outcome

POLICY = """package t

import data.known

default allow := false

allow if count(deny) == 0

deny contains msg if {
\tsome role in input.roles
\tnot role in known
\tmsg := sprintf("unknown role %v", [role])
}

deny contains "no name" if not input.name

sizes[kind][name] := size if some {"kind": kind, "name": name, "size": size} in input.items

double(x) := x * 2

odd["a b"].c := 1 if regex.match("^[a-z]+$", input.name)
"""
INPUT = {
    "roles": ["x", "dev"],
    "name": "n",
    "items": [{"kind": "k", "name": "n", "size": 1.5}],
}
QUERIES = ("data.t", "x := data.t.double(input.items[_].size)", "data.t[x]", "1 + 1; y := 2")


def program(dumped: bytes | None = None) -> Program:
    return compile_modules({"t.rego": POLICY}, data={"known": ["dev"]}, keep=True, dumped=dumped)


def answers(found: Program) -> list[Any]:
    queries = [found.prepare(text).eval(INPUT) for text in QUERIES]
    rules = [found.rule(f"data.t.{name}").eval(INPUT) for name in ("allow", "deny", "sizes")]
    return [queries, rules]


def outcomes(found: Program) -> list[Outcome]:
    evidence = EvidenceProgram(found, ("allow",))
    run = evidence.start(INPUT, Options())
    return [run.run(entry) for entry in evidence.entries]


def compiled(found: Program) -> bool:
    return "_made" in found._front.__dict__


def test_a_dumped_program_answers_alike_and_compiles_nothing() -> None:
    first = program()
    expected = answers(first), outcomes(first)
    second = program(first.dump())
    assert (answers(second), outcomes(second)) == expected
    assert not compiled(second)
    assert not second.grown
    assert second.rule_paths == first.rule_paths


def test_a_dump_grows_with_what_is_asked_for() -> None:
    first = program()
    first.rule("data.t.deny")
    small = first.dump()
    second = program(small)
    second.rule("data.t.deny").eval(INPUT)
    assert not second.grown
    second.rule("data.t.sizes")
    assert second.grown
    assert compiled(second)
    third = program(second.dump())
    third.rule("data.t.deny")
    third.rule("data.t.sizes")
    assert not compiled(third)


def test_what_another_process_compiled_can_be_added() -> None:
    first, other = program(), program()
    answers(other)
    first.add(other.made())
    again = program(first.dump())
    answers(again)
    assert not compiled(again)


def test_a_query_that_replaces_things_is_compiled_with_its_rules() -> None:
    text = "x := data.t.double(2) with data.t.double as 5"
    first = program()
    expected = [r.bindings for r in first.prepare(text).eval()]
    second = program(first.dump())
    assert [r.bindings for r in second.prepare(text).eval()] == expected == [{"x": 5}]


def test_only_the_latest_queries_are_kept() -> None:
    first = program()
    for number in range(100):
        first.prepare(f"x := {number}")
    second = program(first.dump())
    second.prepare("x := 99")
    assert not compiled(second)
    second.prepare("x := 1")
    assert compiled(second)


@pytest.mark.parametrize(
    "dumped", [b"", b"nonsense", marshal.dumps((0, (), {})), marshal.dumps("x"), marshal.dumps(1)]
)
def test_what_is_no_dump_is_compiled_anew(dumped: bytes) -> None:
    found = program(dumped)
    assert compiled(found)
    assert found.rule("data.t.allow").eval(INPUT) is False
