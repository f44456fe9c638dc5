"""What the comparison has found stays repaired: small cases with OPA's answers written down."""

from __future__ import annotations

from typing import Any

import pytest

from adjudge.rego import Options, RegoErrors, compile_modules
from adjudge.rego.evidence import EvidenceProgram


def answer(module: str, input_: Any = None) -> Any:
    program = compile_modules({"t.rego": f"package t\n\n{module}\n"})
    return program.prepare("x := data.t").eval(input_ or {})[0].bindings["x"]


@pytest.mark.parametrize(
    "term", ["[input.x]", '{input.x: "b"}', "{input.x}", "{input.x: 1}.a", "[[input.x]]"]
)
def test_what_stands_inside_of_a_negated_term_is_not_negated(term: str) -> None:
    assert answer(f"p if not {term}") == {}
    assert answer(f"p if not {term}", {"x": "a"}) == {}
    assert answer("p if not input.x") == {"p": True}


def test_evidence_of_a_look_up_by_an_array() -> None:
    program = compile_modules({"t.rego": "package t\n\ndeny contains 1 if input.xs[input.xs]"})
    evidence = EvidenceProgram(program)
    outcome = evidence.start({"xs": []}, Options()).run(evidence.entries[0])
    assert outcome.solutions == ()
    assert [read.path for read in outcome.reads] == [("xs",)]


@pytest.mark.parametrize(
    "equation",
    [
        "1 = [x]",
        "[1, 2] = [x]",
        '{"a": x} = "s"',
        '{"a": x} = {"a": 1, "b": 2}',
        "[x] = {1}",
        "{1: 2 | true} = [x]",
    ],
)
def test_terms_that_are_never_equal_bind_nothing(equation: str) -> None:
    with pytest.raises(RegoErrors) as caught:
        answer(f"p if {equation}")
    assert {e.code for e in caught.value.errors} == {"rego_unsafe_var_error"}


@pytest.mark.parametrize("head", ["p[{k}] := 1", "p.a[{k}].b := 1", "p.a[{k}].b contains 1"])
def test_types_of_comprehensions_in_the_reference_of_a_head(head: str) -> None:
    with pytest.raises(RegoErrors) as caught:
        answer(head.replace("{k}", "[x | some x in 1]"))
    assert {e.code for e in caught.value.errors} == {"rego_type_error"}
    assert answer("p[[x | some x in [1]]] := 2") == {"p": {"[1]": 2}}


@pytest.mark.parametrize("call", ["x := f(1)", "x = f(1)"])
def test_nothing_is_known_of_what_a_function_gives_as_an_empty_set(call: str) -> None:
    assert answer(f"f(_) := set()\n\np if {{ {call}; some _ in x }}") == {}
    with pytest.raises(RegoErrors):
        answer("f(_) := []\n\np if { x := f(1); some _ in x }")


def test_negated_look_ups_in_a_rule_without_a_value() -> None:
    module = "r := {`b`: 1} if input.x\n\np if not r[input.w]"
    assert answer(module, {"w": "b"}) == {"p": True}
    assert answer(module, {"w": "b", "x": 1}) == {"r": {"b": 1}}


def test_what_some_declares_is_not_looked_for_in_itself() -> None:
    with pytest.raises(RegoErrors, match="var x assigned before"):
        answer("p if { some x in input.a\n -1 in x }")


@pytest.mark.parametrize("inside", ['{"b": s}.b', "[s][_]", '{"b": s}[k]'])
def test_nothing_is_known_of_an_empty_set_in_a_collection(inside: str) -> None:
    assert answer(f"s := set()\n\np if {{ v = {inside}; some _ in v }}") == {"s": []}
    with pytest.raises(RegoErrors):
        answer("s := set()\n\np if startswith(s, `a`)")


@pytest.mark.parametrize("use", ["{x} != 1", '_ := $"{x}"', "count([x]) == 1"])
def test_a_variable_in_a_collection_of_anything_may_be_anything(use: str) -> None:
    assert answer(f"p if {{ x := `a`; {use}; abs(x) == 1 }}") == {}
    with pytest.raises(RegoErrors):
        answer("p if { x := `a`; concat(``, [x]) == `a`; abs(x) == 1 }")


def test_long_bodies_in_any_order() -> None:
    backwards = "".join(f"    x{n} = x{n - 1} + 1\n" for n in range(600, 0, -1))
    assert answer(f"p := x600 if {{\n{backwards}    x0 = 1\n}}") == {"p": 601}
