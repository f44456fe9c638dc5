"""Modules of many packages as one: names are written out, unless they are variables."""

from __future__ import annotations

from typing import Any

import pytest

from adjudge.opa.merging import mergeable, merged
from adjudge.opa.moving import moved, write
from adjudge.rego import compile_modules
from adjudge.rego.parser import parse_module
from adjudge.rego.syntax import Module

HELPERS = """package a.b
import data.lib.text
import data.lib as l
import input.user as who
f(x) := x + 1
xs := [1, 2, 3]
x := "rule"
y := "other"
name := "n"
p if true
o[k] := v if some k, v in {"k": 1}
"""


def together(*texts: str) -> str:
    modules = [parse_module(text, f"{n}.rego") for n, text in enumerate(texts)]
    return write(Module(("top_package",), (), merged(modules, "top"))).text


@pytest.mark.parametrize(
    ("rule", "written"),
    [
        ("r := x", "data.a.b.x"),
        ("r := f(xs[0])", "data.a.b.f(data.a.b.xs[0])"),
        ("r := text.up(l.z)", "data.lib.text.up(data.lib.z)"),
        ("r := who.name", "input.user.name"),
        ("r := who", "input.user"),
        ("r := count(xs)", "count(data.a.b.xs)"),
        ("r := [x | some x in xs]", "[x | some x in data.a.b.xs]"),
        ("r := [x | x := xs[_]]", "[x | x := data.a.b.xs[_]]"),
        ("r := [x, [x | some x in xs]]", "[data.a.b.x, [x | some x in data.a.b.xs]]"),
        ("r := {x: y | some x, z in xs}", "{x: data.a.b.y | some x, z in data.a.b.xs}"),
        ("r := z if { z := x }", "z := data.a.b.x"),
        ("r := x if { x := 1 }", "r := x if x := 1"),
        ("r if { some x; xs[x] == 1 }", "data.a.b.xs[x] == 1"),
        ("r if { [x, {k: y}] := input; x; k }", "[x, {k: y}] := input"),
        ("r if every x in xs { x > y }", "every x in data.a.b.xs { x > data.a.b.y }"),
        ("r if every x in [x] { x }", "every x in [data.a.b.x] { x }"),
        ("r if x = input.q", "data.a.b.x = input.q"),
        ("r if not p", "not data.a.b.p"),
        ("r if p with input.x as x with f as g", "with input.x as data.a.b.x with data.a.b.f as g"),
        ("r if p with xs as y", "with data.a.b.xs as data.a.b.y"),
        ("g(x) := [x, y]", ".g(x) := [x, data.a.b.y]"),
        ('g({"k": y}) := [x, y]', '.g({"k": y}) := [data.a.b.x, y]'),
        ("g(x) := 1 if x else := y", "else := data.a.b.y"),
        ('r := $"{x} {name}"', '$"{data.a.b.x} {data.a.b.name}"'),
        ("r contains x if some x in xs", "r contains x if some x in data.a.b.xs"),
        ("r[x] := y if some x in xs", "r[x] := data.a.b.y if"),
        ("r contains o.k", "r contains data.a.b.o.k"),
        ("r := input.x.y", "input.x.y"),
        ('r := {"x": x, y: 1}', '{"x": data.a.b.x, data.a.b.y: 1}'),
        ("default r := 1", "default top.a.b.r := 1"),
        ("r.s.t := x", "top.a.b.r.s.t := data.a.b.x"),
    ],
)
def test_names(rule: str, written: str) -> None:
    text = together(HELPERS + rule + "\n")
    last = text[text.index("o[k] :=") :]
    assert written in " ".join(last.split())


def test_a_rule_called_like_the_package() -> None:
    text = together("package a\ntop_package := 1\nx := b if { b := input.v }\nb := 7\n")
    new = compile_modules({"m": text})
    assert new.rule("data.top_package.top.a.top_package").eval({}) == 1
    assert new.rule("data.top_package.top.a.x").eval({"v": 3}) == 3


MODULES: dict[str, str] = {
    "a.rego": HELPERS
    + """
import rego.v1
all := {"f": f(1), "x": x, "t": text.up("q"), "w": who, "c": [x | some x in xs; x > 1], "l": l.z}
chain := 1 if x == "no" else := y if p
total := sum([n | n := xs[_]]) if { some i; xs[i] == 2; x := i; x == 1 }
""",
    "lib.rego": """package lib
z := 5
default d(_) := 0
d(1) := data.a.b.f(1)
e := [d(1), d(2)]
""",
    "text.rego": "package lib.text\nup(x) := y if y := upper(x)\n",
    "odd.rego": 'package odd["o-d"].d\np := q + 1\nq := data.lib.z\n',
}


def test_they_mean_the_same() -> None:
    given: dict[str, Any] = {"user": "u"}
    old = compile_modules(MODULES)
    modules = [parse_module(text, name) for name, text in MODULES.items()]
    # `top` stands where `data` stood for the modules.
    rules = moved(merged(modules, "top"), ("top_package", "top"))
    new = compile_modules({"m": write(Module(("top_package",), (), rules)).text})
    for path in ("a.b.all", "a.b.chain", "a.b.total", "a.b.o", "lib.e", 'odd["o-d"].d.p'):
        (here,) = old.prepare(f"x := data.{path}").eval(given)
        (there,) = new.prepare(f"x := data.top_package.top.{path}").eval(given)
        assert there.bindings == here.bindings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import data.x\nimport input.y as z\nimport rego.v1\np := 1", True),
        ("import future.keywords\np := 1", True),
        ("import future.keywords.in\np := 1", True),
        ("import future.keywords.not\np := 1", False),
        ("p := rego.metadata.rule()", False),
        ('p := rego.parse_module("", "")', True),
        ("import data\np := 1", False),
    ],
)
def test_what_can_be_put_together(text: str, expected: bool) -> None:
    assert mergeable(parse_module(f"package a\n{text}\n")) is expected
