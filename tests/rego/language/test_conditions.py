"""``not`` of conditions, ``and`` and ``or``: what holds, what is evaluated, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from adjudge.rego import Options, compile_modules
from adjudge.rego.errors import RegoErrors, RegoEvalError

V2 = "package t\nimport rego.v2\n"

INPUT = {"yes": True, "no": False, "n": 2, "xs": [1, 2, 3]}


def _value(rules: str, head: str = V2, strict: bool = False) -> Any:
    program = compile_modules({"t.rego": head + rules})
    options = Options(strict_builtin_errors=strict)
    rows = program.prepare("data.t.p = x").eval(INPUT, options=options)
    return rows[0].bindings["x"] if rows else None


HOLDS = [
    # and, or
    ("input.yes and input.n", True),
    ("input.yes and input.no", False),
    ("input.yes and input.missing", False),
    ("input.missing or input.yes", True),
    ("input.no or input.missing", False),
    ("input.no or input.yes and input.n == 2", True),
    ("input.yes or input.no and input.no", True),
    ("(input.yes or input.no) and input.no", False),
    ("{ x := input.n; x > 1 } and { x := 0; x < 1 }", True),
    ("input.no or { some x in input.xs; x > 2 }", True),
    ("input.n == 2 or 1 / 0 == 1", True),
    ("1 in input.xs and not 4 in input.xs", True),
    # with
    ("input.n == 7 or input.yes with input.n as 7", True),
    ("(input.n == 7 with input.n as 7) and input.n == 2", True),
    ("{ input.n == 7 } and input.n == 7 with input.n as 7", True),
    # not
    ("not f(g(input.missing))", True),
    ("not g(input.n) == 4", False),
    ("not input.n + input.missing > 0", True),
    ("not { input.yes; input.no }", True),
    ("not { x := input.n; x == 2 }", False),
    ("not (input.no or input.yes)", False),
    ("not (not input.yes)", True),
    ("not input.no and input.yes", True),
    ("not { some x in input.xs; x > 3 }", True),
    ("not q with input.n as 3", False),
    ("x := 1; not { x := 2; x == 1 }; x == 1", True),
    # inside other things
    ("every x in input.xs { x < 2 or x > 1 }", True),
    ("every x in input.xs { not { x > 2; x < 5 } }", False),
    ("[1 | input.yes or input.n] == [1]", True),
    ("[x | some x in input.xs; x < 2 or x > 2] == [1, 3]", True),
    ("[1 | { some x in input.xs; x > 0 } and true] == [1]", True),
]

FUNCTIONS = "\nf(x) if x > 0\ng(x) := x * 2\nq if input.n == 3\n"


@pytest.mark.parametrize(("body", "holds"), HOLDS)
def test_what_holds(body: str, holds: bool) -> None:
    assert _value(f"p if {{ {body} }}{FUNCTIONS}") is (True if holds else None)


def test_the_right_operand_is_evaluated_when_it_matters() -> None:
    fails = 'to_number("a") == 1'
    assert _value(f"p if input.yes or {fails}", strict=True) is True
    assert _value(f"p if input.no and {fails}", strict=True) is None
    for left in ("input.no or", "input.yes and"):
        with pytest.raises(RegoEvalError, match="to_number"):
            _value(f"p if {left} {fails}", strict=True)


@pytest.mark.parametrize(
    ("imports", "holds"),
    [("", None), ("import future.keywords.not\n", True), ("import future.keywords\n", True)],
)
def test_negation_covers_the_calls_in_it_only_when_imported(imports: str, holds: Any) -> None:
    rules = "p if not f(g(input.missing))" + FUNCTIONS
    assert _value(rules, f"package t\n{imports}") is holds


def test_the_words_are_names_where_nothing_imports_them() -> None:
    assert _value("p := or if { or := 1; and := or; and == 1 }", "package t\n") == 1
    assert _value("p := or({1}, {2}) & and({2}, {2})") == [2]
    assert _value('p if and["x"].or == 3\nand.x.or := 3') is True


def test_an_import_is_about_its_own_module() -> None:
    program = compile_modules(
        {
            "a.rego": "package t\nimport rego.v2\np if input.no or input.yes",
            "b.rego": "package t\nq := or if or := 1",
        }
    )
    assert program.prepare("data.t = x").eval(INPUT)[0].bindings["x"] == {"p": True, "q": 1}


REFUSED = [
    ("p if { x := 1 or input.no }", "cannot assign vars inside implicit or operand"),
    ("p if { input.no and x := 1 }", "cannot assign vars inside implicit and operand"),
    ("p if not x := 1", "cannot assign vars inside negated expression"),
    ("p if { x = 1 or input.no }", "var x is unsafe"),
    ("p if { { x := 1 } and x == 1 }", "var x is unsafe"),
    ("p if not input.xs[i] == 1", "var i is unsafe"),
    ("p if not input.xs[_] == 1", "var _ is unsafe"),
    ("p := x if { x = 1 or x = 2 }", "var x is unsafe"),
]


@pytest.mark.parametrize(("rule", "message"), REFUSED)
def test_conditions_bind_nothing(rule: str, message: str) -> None:
    with pytest.raises(RegoErrors, match=message):
        compile_modules({"t.rego": V2 + rule})


def test_a_module_may_be_read_as_version_two() -> None:
    text = "package t\np if not { input.no or q }\nq if false"
    program = compile_modules({"t.rego": text}, rego_version=2)
    assert program.rule("data.t.p").eval(INPUT) is True
