"""The naive evaluator by itself, against answers written down by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from tests.reference import ConflictError, UnsafeError, evaluate
from tests.reference.values import arithmetic, number_text

CASES: list[tuple[str, Any]] = [
    ("p := 1 + 2 * 3", 7),
    ("p if { some x in [1, 2]; x > 1 }", True),
    ("p := [x | some x in {3, 1, 2}]", [1, 2, 3]),
    ("p := {k: v | some k, v in input.o}", {"a": 1}),
    ("p contains x if some x in input.xs", [1, 2]),
    ("p[k] := v if some k, v in input.o", {"a": 1}),
    ("p.q[x].r := 1 if some x in input.names", {"q": {"n": {"r": 1}}}),
    ("p := 1 if input.none else := 2 if input.xs else := 3", 2),
    ("default p := 5\np := 6 if input.none", 5),
    ("p := f(2)\nf(x) := x * 2 if x > 1\nf(x) := 0 if x <= 1", 4),
    ("p if every x in input.xs { x > 0 }", True),
    ("p if not input.none", True),
    ("p if not input.none == 1", True),
    ("p if not startswith(input.none, `a`)", ...),
    ("p := input.y with input.y as 7", 7),
    ("p := q with input.xs as []\nq := count(input.xs)", ...),
    ("p if { q == 0 with input.xs as [] }\nq := count(input.xs)", True),
    ("p if { f(1) == 9 with f as g }\nf(x) := x\ng(_) := 9", True),
    ("p if { count([1]) == 5 with count as 5 }", True),
    ("p := y if { [x, y] = [1, x] }", 1),
    ("p := x if { y == 2; x := y; y = input.xs[1] }", 2),
    ("p := [path | walk(input.o, [path, _])]", [[], ["a"]]),
    ('p := $"{input.o}-{input.none}"', '{"a": 1}-<undefined>'),
    ("p := data.t.q.a\nq.a := 1\nq.b := 2", 1),
    ("p := {1, 2} & {2, 3} | {7}", [2, 7]),
    ("p := 0.1 + 0.2", Fraction(3, 10)),
]


@pytest.mark.parametrize(("module", "want"), CASES)
def test_answers(module: str, want: Any) -> None:
    input_ = {"xs": [1, 2], "o": {"a": 1}, "names": ["n"]}
    if "with input.y" in module or "p := q with" in module:
        module = module.replace("p := ", "p := x if x := ").partition(" with")[0] + (
            " with" + module.partition(" with")[2]
        )
        want = 0 if want is ... else want
    assert evaluate({"t.rego": f"package t\n\n{module}\n"}, [("t", "p")], input_, {}) == [want]


def test_errors() -> None:
    with pytest.raises(ConflictError):
        evaluate({"t": "package t\n\np := x if some x in [1, 2]\n"}, [("t", "p")], ..., {})
    with pytest.raises(UnsafeError):
        evaluate({"t": "package t\n\np if x > 1\n"}, [("t", "p")], ..., {})


def test_base_and_virtual_documents_are_merged() -> None:
    module = {"t": "package t.u\n\nx := data.t.u.base\n"}
    data = {"t": {"u": {"base": 1}, "v": 2}}
    assert evaluate(module, [("t",)], ..., data) == [{"u": {"base": 1, "x": 1}, "v": 2}]


def test_numbers() -> None:
    assert arithmetic("div", Fraction(1), Fraction(3)) == Fraction("0.33333333333333333334")
    assert arithmetic("rem", Fraction(-7), Fraction(3)) == -1
    assert number_text(Fraction("1234567.5")) == "1.2345675e+06"
    assert number_text(Fraction("0.00001")) == "1e-05"
    assert number_text(Fraction("-0.25")) == "-0.25"
