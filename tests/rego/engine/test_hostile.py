"""Hostile policies: bounded time, typed errors, and nothing reachable but the ABI."""

from __future__ import annotations

import ast
import types
from typing import Any

import pytest

from adjudge.rego import Options, RegoErrors, RegoEvalError, abi, compile_modules
from adjudge.rego.linking import FAST, TRACED
from adjudge.rego.program import Program
from adjudge.rego.runtime.limits import Limits

SHORT = Limits(seconds=1.0, steps=5_000_000, size=1_000_000)
LOOPS = "\n".join(f"    some x{n} in input.xs" for n in range(25))


def run(body: str, document: Any = None, path: str = "data.t.p") -> Any:
    program = compile_modules({"t.rego": f"package t\n\n{body}\n"})
    return program.rule(path).eval(document or {}, options=Options(limits=SHORT))


@pytest.mark.parametrize(
    "body",
    [
        f"p if {{\n{LOOPS}\n    x0 == 1\n}}",
        f"p := y if {{\n{LOOPS}\n    y := x3 == 1\n}}",
        f"p := count([x24 | {'; '.join(f'some x{n} in input.xs' for n in range(25))}]) == 1",
        f"p if not q\n\nq if {{\n{LOOPS}\n    x0 == 2\n}}",
        "p if "
        + "".join(f"{{ every x{n} in input.xs " for n in range(18)).replace("{ ", "", 1)
        + f"{{ [{', '.join(f'x{n}' for n in range(18))}] == [x0 | some i in numbers.range(1, 18)] "
        + "}"
        + " }" * 17,
    ],
)
def test_more_loops_than_python_nests(body: str) -> None:
    assert run(body, {"xs": [1]}) is True


@pytest.mark.parametrize(
    "body",
    [
        f"p contains x24 if {{\n{LOOPS}\n}}",
        "p if { some i in numbers.range(1, 5000); some j in numbers.range(1, 5000); i * j == -1 }",
        "p if { walk(input, [_, a]); walk(input, [_, b]); walk(input, [_, c]); a == -1 }",
        "p := count(numbers.range(1, 1000000000000))",
        "\n".join(f'a{n} := concat("", [a{n - 1}, a{n - 1}])' for n in range(1, 60))
        + '\na0 := "xxxxxxxx"\np := count(a59)',
    ],
)
def test_blow_ups_end_in_an_error(body: str) -> None:
    program = compile_modules({"t.rego": f"package t\n\n{body}\n"})
    document = {"xs": [1, 2], "deep": [[n] * 50 for n in range(50)]}
    options = Options(limits=SHORT, strict_builtin_errors=True)
    with pytest.raises(RegoEvalError) as e:
        program.rule("data.t.p").eval(document, options=options)
    assert e.value.code in ("eval_limit_error", "eval_builtin_error")


SHARED = "\n".join(f"x{n} := [x{n - 1}, x{n - 1}]" for n in range(1, 41))


@pytest.mark.parametrize("use", ["count({x40})", "{x40: 1}[x40]"])
def test_values_with_shared_parts_are_hashed_in_linear_time(use: str) -> None:
    assert run(f"x0 := [1]\n{SHARED}\n\np := {use}") == 1


TWICE = SHARED + "\n" + SHARED.replace("x", "y")
"""The same values built two times."""


@pytest.mark.parametrize(
    ("use", "value"),
    [
        ("x40 == y40", True),
        ("x40 <= y40", True),
        ("x40 in [y40]", True),
        ("{x40: 1}[y40]", 1),
        ("count({x40} & {y40})", 1),
        ("count(sort([[x40, 2], [y40, 1]]))", 2),
        ("sort({[x40, 2], [y40, 1]})[0][1]", 1),
        ("max([x40, y40]) == x40", True),
        ('object.union({"a": x40}, {"a": y40}) == {"a": x40}', True),
    ],
)
def test_equal_values_with_shared_parts_are_compared_in_linear_time(use: str, value: Any) -> None:
    assert run(f"x0 := [1]\ny0 := [1]\n{TWICE}\n\np := {use}") == value


@pytest.mark.parametrize("use", ["json.marshal(x40)", 'sprintf("%v", [x40])'])
def test_values_with_shared_parts_are_not_written_down_for_ever(use: str) -> None:
    with pytest.raises(RegoEvalError) as e:
        run(f"x0 := [1]\n{SHARED}\n\np := {use}")
    assert e.value.code == "eval_limit_error"


def test_regular_expressions_are_linear() -> None:
    assert run('p if not regex.match("(a+)+$", input.s)', {"s": "a" * 50_000 + "b"}) is True


def test_deep_data_ends_in_an_error_not_in_a_crash() -> None:
    document: dict[str, Any] = {}
    inner = document
    for _ in range(5000):
        inner["a"] = {}
        inner = inner["a"]
    for body in ("p := json.marshal(input)", "p := input", "p := {input}"):
        with pytest.raises(RegoEvalError) as e:
            run(body, document)
        assert e.value.code == "eval_limit_error"
    query = compile_modules({}).prepare("x = input")
    with pytest.raises(RegoEvalError) as e:
        query.eval(document)
    assert e.value.code == "eval_limit_error"


@pytest.mark.parametrize("link", ["r{n} := r{m}", "r{n} := f{n}(1)\n\nf{n}(x) := r{m}"])
def test_chains_of_rules_end_in_an_error_not_in_a_crash(link: str) -> None:
    chain = "\n\n".join(link.format(n=n, m=n - 1) for n in range(1, 1500))
    with pytest.raises(RegoEvalError) as e:
        run(f"r0 := 1\n\n{chain}\n\np := r1499")
    assert e.value.code == "eval_limit_error"


@pytest.mark.parametrize(
    "text",
    ["p := " + "[" * 500 + "]" * 500, "p := " + "+".join(["input.a"] * 5000), "p := {" * 300],
)
def test_deep_texts_are_parse_errors(text: str) -> None:
    with pytest.raises(RegoErrors):
        compile_modules({"t.rego": f"package t\n\n{text}\n"})


NAMES = """package t["a\\nb"]["\\"; import os #"].__class__

class := 1

__import__ := 2

U := 3

c := 4

e_0(None) := None

p := [class, __import__, U, c, e_0(5), "\\"\\"\\"\\u0000", `'''`, True] if {
    v1 := 1
    lambda := 2
    v1 + lambda == 3
    True := "not python"
}

object["'"] := "k"

q := $"{p[0]} \\{ '''\\n"
"""


def test_names_and_literals_are_data_never_code() -> None:
    program = compile_modules({"t.rego": NAMES})
    result = program.prepare("x := data.t").eval()[0].bindings["x"]
    inner = result["a\nb"]['"; import os #']["__class__"]
    assert inner["p"] == [1, 2, 3, 4, 5, '"""\0', "'''", "not python"]
    assert inner["object"] == {"'": "k"}


def _code_objects(code: types.CodeType) -> list[types.CodeType]:
    found = [code]
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            found.extend(_code_objects(const))
    return found


def _functions(program: Program) -> list[types.FunctionType]:
    traced = program.traced()
    for each in (program, traced):
        each.link()
    return [
        f
        for scope in (program._linker.namespace, traced._linker.namespace)
        for f in scope.values()
        if isinstance(f, types.FunctionType) and f.__code__.co_filename == "<rego>"
    ]


def test_generated_code_reaches_nothing_but_the_abi() -> None:
    prefixes = (
        abi.BUILTIN_PREFIX,
        abi.RULE_PREFIX,
        abi.EVAL_PREFIX,
        abi.PARTS_PREFIX,
        abi.FUNCTION_PREFIX,
        abi.CLAUSE_PREFIX,
        abi.CONST_PREFIX,
        "T",
        "D",
    )
    text = (
        NAMES
        + """
deny contains x if {
    some x in input.xs
    every y in x { y > 1 }
    not x.a
    walk(x, [path, value])
    data.other[x][y] == value with input as {"a": path}
}

f(1) := 2

f(x) := y if y := x else := 3
"""
    )
    functions = _functions(compile_modules({"t.rego": text}, data={"other": {}}))
    assert functions
    allowed = abi.NAMES | abi.CONTEXT_ATTRIBUTES | abi.VALUE_ATTRIBUTES
    for function in functions:
        assert function.__globals__["__builtins__"] == {}
        for code in _code_objects(function.__code__):
            for name in code.co_names:
                assert name in allowed or name.startswith(prefixes), name


def test_the_same_source_gives_the_same_code() -> None:
    def emitted() -> list[str]:
        linker = compile_modules({"t.rego": NAMES})._linker
        units = [(v, s) for s in range(len(linker.outline.rules)) for v in (FAST, TRACED)]
        return [ast.dump(linker.emit(*unit).tree, include_attributes=True) for unit in units]

    assert emitted() == emitted()


def test_answers_that_are_too_large_to_be_written_are_errors() -> None:
    with pytest.raises(RegoEvalError, match="too large to be written"):
        run(f"x0 := [1]\n{SHARED}\n\np := x40")
    program = compile_modules({"t.rego": f"package t\n\nx0 := [1]\n{SHARED}\n"})
    with pytest.raises(RegoEvalError, match="too large to be written"):
        program.prepare("x := data.t.x40").eval({})
