"""Modules moved below another root of ``data``; no OPA is needed for that."""

from __future__ import annotations

import pytest

from adjudge.opa.errors import OpaError
from adjudge.opa.moving import Copy, Moved, move, stubs, uses, with_copies, write
from adjudge.rego import compile_modules
from adjudge.rego.parser import parse_module
from adjudge.rego.syntax import Module
from adjudge.source import Location

ROOT = ("runs", "r1", "root")


def moved_text(text: str, version: int = 1) -> str:
    return sent_(parse_module(text, "a.rego", version)).text


def sent_(module: Module, copies: dict[Location, Copy] | None = None) -> Moved:
    return write(move(with_copies(module, copies or {}), ROOT))


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("p := data.x.y", "p := data.runs.r1.root.x.y"),
        ("p := data", "p := data.runs.r1.root"),
        ("p := data[input.k]", "p := data.runs.r1.root[input.k]"),
        ('p := data["a-b"].c', 'p := data.runs.r1.root["a-b"].c'),
        ("p := data.lib.f(data.x)", "p := data.runs.r1.root.lib.f(data.runs.r1.root.x)"),
        ("p := [x | some x in data.xs]", "p := [x | some x in data.runs.r1.root.xs]"),
        (
            "p if q with data.x as data.y with input as data",
            "p if q with data.runs.r1.root.x as data.runs.r1.root.y with input as "
            "data.runs.r1.root",
        ),
        ("p if every x in data.xs { x == data.y }", "data.runs.r1.root.y"),
        ('p := $"{data.x}"', 'p := $"{data.runs.r1.root.x}"'),
        ("p if not data.x[data.y]", "p if not data.runs.r1.root.x[data.runs.r1.root.y]"),
        ('p := "data.x"', 'p := "data.x"'),
        ("p := input.data.x", "p := input.data.x"),
        ("p := x.data if x := input", "x.data"),
        ("p.data.x := 1", "p.data.x := 1"),
        ("p contains data.x", "p contains data.runs.r1.root.x"),
        ("f(x) := data.x[x] if x else := data.y", "else := data.runs.r1.root.y"),
        ("default p := 1", "default p := 1"),
    ],
)
def test_references(written: str, sent: str) -> None:
    text = moved_text(f"package a\n\nq := 1\n\n{written}\n")
    assert sent in text
    assert text.startswith("package runs.r1.root.a\n")
    parse_module(text, "a.rego")


def test_imports() -> None:
    text = moved_text(
        "package a\nimport data.lib.text\nimport data.lib as l\nimport data\n"
        "import input.x as y\nimport rego.v1\np := text.x\nq := data.z\n"
    )
    assert "import data.runs.r1.root.lib.text\n" in text
    assert "import data.runs.r1.root.lib as l\n" in text
    assert "import input.x as y\n" in text
    assert "import data\n" not in text
    assert "q := data.runs.r1.root.z" in text


def test_packages_with_odd_names() -> None:
    assert moved_text('package a["b-c"].d\np := 1\n').startswith(
        'package runs.r1.root.a["b-c"].d\n'
    )


def test_copies() -> None:
    module = parse_module("package a\n\ndeny contains x if some x in data.xs\n", "a.rego")
    moved = sent_(module, {module.rules[0].loc: Copy("clause_0", 1)})
    again = parse_module(moved.text, "a.rego")
    assert [r.head.ref.name for r in again.rules] == ["deny", "clause_0"]  # type: ignore[union-attr]
    assert again.rules[0].body == again.rules[1].body


def test_copies_of_heads_with_several_steps() -> None:
    module = parse_module('package a\nx.y.deny contains "z"\n', "a.rego")
    moved = sent_(module, {module.rules[0].loc: Copy("clause_0", 3)})
    assert 'clause_0 contains "z"' in moved.text


def test_places_lead_back() -> None:
    module = parse_module(
        "package a\n# one\n# two\n\ndeny contains x if {\n  y := input.a.b\n\n  x := 1 / y\n}\n",
        "a.rego",
    )
    moved = sent_(module, {module.rules[0].loc: Copy("clause_0", 1)})
    rows = moved.text.split("\n")
    divisions = [n for n, row in enumerate(rows, 1) if "1 / y" in row]
    assert len(divisions) == 2
    for row in divisions:
        col = rows[row - 1].index("1 / y") + 1
        assert moved.original(row, col) == Location("a.rego", 8, 8)
        assert moved.original(row, 200).row == 8
    assert moved.original(1, 1) == Location("a.rego", 1, 1)


def test_v0_is_written_as_v1() -> None:
    old = """package a
    deny[msg] { x := data.xs[_]; x > 1; msg := sprintf("%d", [x]) } { msg := "second" }
    p = 1 { input.x } else = 2 { input.y }
    q { not input.z }
    f(x) = y { y := x }
    o[k] = v { v := input[k] }
    """
    text = moved_text(old, 0)
    data = {"runs": {"r1": {"root": {"xs": [1, 2]}}}}
    new = compile_modules({"a.rego": text}, data=data)
    assert new.rule("data.runs.r1.root.a.deny").eval({}) == ["2", "second"]
    assert new.rule("data.runs.r1.root.a.o").eval({"k": 1}) == {"k": 1}


@pytest.mark.parametrize("old", ["package a\nif { true }\n", "package a\np { in := 1 }\n"])
def test_v0_that_v1_cannot_say(old: str) -> None:
    with pytest.raises(OpaError) as caught:
        moved_text(old, 0)
    assert caught.value.code == "opa_policy_inexpressible"
    assert caught.value.location is not None
    assert caught.value.hint


def test_metadata_is_sent_where_a_rule_asks_for_it() -> None:
    policy = "package a\n\n# METADATA\n# title: T\n# schemas: [{input: schema.x}]\np := {}\n"
    assert "METADATA" not in moved_text(policy.replace("{}", "1"))
    text = moved_text(policy.replace("{}", "rego.metadata.rule().title"))
    assert "# title: T\n" in text
    assert "schemas" not in text


def test_functions_are_declared_that_other_modules_call() -> None:
    modules = [
        parse_module(
            "package a\nf(x, y) := x\nf(1, _) := 2\np := own(1)\nx.y.g(_) := 1\nown(x) := x\n"
        ),
        parse_module("package b\nq if data.a.f(1, 2) with data.a.x.y.g as data.a.f\n"),
    ]
    (text,) = stubs(modules).values()
    assert text == ("package a\n\nf(_, _) := input if false\n\nx.y.g(_) := input if false\n")
    parse_module(text)
    assert stubs(modules[:1]) == {}


def test_what_modules_use() -> None:
    rules = parse_module(
        "package a\np := x if { x := [rand.intn(y, 3) | y := 1] }\nq if p with time.now_ns as 1\n"
    ).rules
    assert uses(rules, "rand.intn")
    assert uses(rules, "time.now_ns")
    assert not uses(rules, "uuid.rfc4122")
    assert not uses(rules, "rand.int")
