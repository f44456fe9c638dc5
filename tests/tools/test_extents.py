"""Where expressions end: the text of each one, parsed again, is the same expression."""

from __future__ import annotations

from pathlib import Path

import pytest

from adjudge.rego.extents import Extents
from adjudge.rego.parser import parse_body, parse_module
from adjudge.rego.syntax import Call, Expr, Module, SomeDecl, Var, walk

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "policies").rglob("*.rego"))

ODD = """package odd

import data.lib

a if {
	x := {"k": [1, {2, 3}]}["k"][0]
	y := -x.a["b"].c[_]
	(x + y) * 2 == 4
	x + y * 2 > 4 - (3)
	f(x, g(y))[0].z with input as {"a": 1} with data.b as [2]
	not x in {1, 2}
	not f(
		x,
		y,
	)
	some i, j in [1, 2] # a comment
	some k, l
	every m, n in {"a": 1} { m != n; n > 0 }
	z := [v | some v in x; v > 1]
	w := {k2: v2 |
		some k2, v2 in {"a": 1}
	}
	t := $"a {x} b {{ {f(y)} }}"
	r := `raw ] } text`
	s := "quoted \\" ) ] text"
	lib.f(x) == {"a": x.b}.a; x
	x == y
	1 in [1] == true
	"k", 1 in {"k": 1}
	u = {1} | {2} & {3}
	input["a b"].c
	[p, {"q": q}] := [1, {"q": 2}]
}

f(x) := y if y := x + 1

g(x) := {"a": x} if x > 1

else := 2
"""

NEW = """package odd

import rego.v2

a if {
	{ input.x } or { input.y; input.z }
	not { input.a; input.b }
	input.p and input.q
}
"""


def modules() -> list[Module]:
    texts = [(ODD, "odd"), *((path.read_text(), path.name) for path in SHIPPED)]
    return [parse_module(text, name) for text, name in texts]


@pytest.mark.parametrize("module", modules(), ids=lambda m: m.file)
def test_the_text_of_an_expression_is_that_expression(module: Module) -> None:
    extents = Extents(module)
    seen = 0
    for expr in walk(module.rules):
        if not isinstance(expr, Expr) or not expr.loc.row:
            continue
        text = extents.text(extents.expr(expr))
        found = parse_body(text)
        if isinstance(expr.term, SomeDecl):
            # A declaration may go with what follows it.
            found = found[:1]
        assert found == (expr,), text
        seen += 1
    assert seen or not any(rule.body for rule in module.rules)


def test_conditions_in_braces() -> None:
    module = parse_module(NEW, "new")
    extents = Extents(module)
    texts = [extents.text(extents.expr(expr)) for expr in module.rules[0].body]
    assert texts == [
        "{ input.x } or { input.y; input.z }",
        "not { input.a; input.b }",
        "input.p and input.q",
    ]


def test_heads_and_operations() -> None:
    module = parse_module(ODD, "odd")
    extents = Extents(module)
    heads = [extents.text(extents.head(rule.head)) for rule in module.rules]
    assert heads == ["a", "f(x) := y", 'g(x) := {"a": x}']
    calls = {
        extents.text(extents.term(node))
        for node in walk(module.rules)
        if isinstance(node, Call) and isinstance(node.operator, Var)
    }
    assert {"(x + y) * 2", "x + y * 2", "4 - (3)", "g(y)", "x + 1"} <= calls
