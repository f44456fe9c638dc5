"""The types of rules, functions and documents, as OPA infers and writes them."""

from __future__ import annotations

from typing import Any

import pytest

from adjudge.rego import RegoErrors, compile_modules
from adjudge.rego.capabilities import all_capabilities
from adjudge.rego.checking import check_modules
from adjudge.rego.parser import parse_module
from adjudge.rego.passes import run_passes
from adjudge.rego.passes.model import Compilation
from adjudge.rego.passes.types.show import MAX_WIDTH, show

RULES = """package t

scalar := 1
mixed := [1, "a", input.x, [true]]
pairs := {"a": 1, "b": {"c": "d"}}
computed := {input.k: 1}
set_of := {1, "a"}
empty := []
nothing := {}
choice := 1 if input.a
choice := "two" if input.b
branches := 1 if { input.a } else := "x" if { input.b } else := null
names contains n if some n in ["a", "b"]
either contains x if some x in [1, "a"]
by_name[n] := {"n": n} if some n in ["a"]
nested[n].of[m] := true if { some n in ["a"]; some m in [1, 2] }
nested_set[n] contains m if { n := "a"; m := 1 }
lengths := [count(x) | some x in input.xs]
lookup := {k: v | some k, v in {"a": 1}}
found := {x | some x in input.xs; is_string(x)}
double(x) := x * 2
label(x, "y") := sprintf("%v", [x])
pattern([a, b]) := a
default total(_) := 0
total(xs) := sum(xs)
doubled := double(2)
member := mixed[3]
unknown := input.a.b
whole := pairs.b
deep := [p | some p in [pairs]]
flag if input.a
compared := 1 == input.b
joined := concat(",", names)
text := $"{scalar}"
first := [1, "a"][input.i]
both := object.union(pairs, {"z": 1})
other := data.elsewhere.x
sliced := array.slice([1, "a"], 0, 1)
decoded := json.unmarshal("1")
every_one if every x in [1, "a"] { x }
"""

TYPES = {
    "scalar": "number",
    "mixed": "array<number, string, any, array<boolean>>",
    "pairs": "object<a: number, b: object<c: string>>",
    "computed": "object[any: number]",
    "set_of": "set[any<number, string>]",
    "empty": "array",
    "nothing": "object",
    "choice": "any<number, string>",
    "branches": "any<null, number, string>",
    "names": "set[string]",
    "either": "set[any<number, string>]",
    "by_name": "object[string: object<n: string>]",
    "nested": "object[string: object[string: object[number: boolean]]]",
    "nested_set": "object[string: set[number]]",
    "lengths": "array[number]",
    "lookup": "object[string: number]",
    "found": "set[any]",
    "double": "(number) => number",
    "label": "(any, string) => string",
    "pattern": "(array<any, any>) => any",
    "total": "(any) => number",
    "doubled": "number",
    "member": "array<boolean>",
    "unknown": "any",
    "whole": "object<c: string>",
    "deep": "array[object<a: number, b: object<c: string>>]",
    "flag": "boolean",
    "compared": "boolean",
    "joined": "string",
    "text": "string",
    "first": "any<number, string>",
    "both": "object[any: any]",
    "other": "any",
    "sliced": "array[any]",
    "decoded": "any",
    "every_one": "boolean",
}


def compiled(text: str) -> Compilation:
    comp = Compilation([parse_module(text, "t.rego")], all_capabilities())
    run_passes(comp)
    assert comp.errors == []
    return comp


@pytest.fixture(scope="module")
def inferred() -> Compilation:
    return compiled(RULES)


@pytest.mark.parametrize("rule", TYPES)
def test_rules_have_the_types_that_opa_says(inferred: Compilation, rule: str) -> None:
    assert show(inferred.types["t", rule]) == TYPES[rule]


def test_local_variables_have_types() -> None:
    comp = compiled('package t\n\np if {\n    x := [1, "a"]\n    some y in x\n    y == input.z\n}')
    (clause,) = comp.groups["t", "p"].clauses
    shown = {name.split("~")[0]: show(t) for name, t in clause.types.items()}
    assert shown["x"] == "array<number, string>"
    assert shown["y"] == "any<number, string>"


def test_queries_are_checked_with_the_types_of_the_rules() -> None:
    program = compile_modules({"t.rego": 'package t\n\nlimits := {"cpu": 1}'})
    program.prepare("data.t.limits.cpu > 1; input.a.b == data.t.limits")
    with pytest.raises(RegoErrors, match="undefined ref"):
        program.prepare("data.t.limits.disk")
    with pytest.raises(RegoErrors, match="match error"):
        program.prepare('x := 1; x = "a"')


def test_types_that_grow_end_in_bounded_time_and_text() -> None:
    lines = ["x0 := [input.a, 1]"]
    lines += [f'x{n} := [x{n - 1}, x{n - 1}, {{"a": x{n - 1}}}]' for n in range(1, 60)]
    lines.append("p if x59 == 1")
    (error,) = check_modules({"t.rego": "package t\n\n" + "\n".join(lines)})
    assert error.message.startswith("match error")
    assert len(error.message) < 4 * MAX_WIDTH


def test_types_that_nest_deeper_than_trees_are_walked_become_any() -> None:
    lines = ["x0 := {}"] + [f"x{n} := [x{n - 1}]" for n in range(1, 400)]
    assert check_modules({"t.rego": "package t\n\n" + "\n".join(lines)}) == []


LEAF = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "additionalProperties": False,
}
TREE: dict[str, Any] = {
    "definitions": {
        "node": {
            "type": "object",
            "properties": {"value": {"type": "number"}, "next": {"$ref": "#/definitions/node"}},
            "additionalProperties": False,
        }
    },
    "$ref": "#/definitions/node",
}


@pytest.mark.parametrize(
    ("schema", "expression", "message"),
    [
        ({"type": "array", "items": LEAF}, "input[0].nme", "undefined ref: input[0].nme"),
        ({"type": "array", "items": LEAF}, "input[_].name == 1", "match error"),
        (TREE, "input.next.next.next.valu", "undefined ref: input.next.next.next.valu"),
        (TREE, 'input.next.value == "a"', "match error"),
        (TREE, "input.next.next.value == 1", None),
        ({"anyOf": [{"type": "string"}, {"type": "number"}]}, "input == true", "match error"),
        ({"anyOf": [{"type": "string"}, {"type": "number"}]}, "input == 1", None),
        (
            {"allOf": [LEAF, {"type": "object", "properties": {"size": {"type": "number"}}}]},
            'input.size == "x"',
            "match error",
        ),
        ({"type": "object", "additionalProperties": {"type": "number"}}, 'input.a == "b"', None),
        ({"type": ["string", "null"]}, "input == 1", "match error"),
        ({"type": "array", "items": [{"type": "string"}]}, "input[0] == 1", "match error"),
        (True, "input.a.b.c == 1", None),
        ({"type": "objekt"}, "input.a", "unable to compile the schema"),
        ({"$ref": "#/nowhere"}, "input.a", "unable to compile the schema"),
        ({"$ref": "http://a.invalid/x.json"}, "input.a", "remote reference loading disabled"),
    ],
)
def test_schemas_give_the_types_of_documents(
    schema: Any, expression: str, message: str | None
) -> None:
    modules = {"t.rego": f"package t\n\np if {expression}"}
    errors = check_modules(modules, schemas={"": schema})
    assert [message in e.message for e in errors] == ([] if message is None else [True])  # type: ignore[operator]
