"""Programs: what callers of the library see."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from adjudge.rego import UNDEFINED, Options, RegoErrors, RegoEvalError, compile_modules

AUTHZ = """package authz

default allow := false

allow if {
    input.user == data.admins[_]
}

deny contains msg if {
    some role in input.roles
    not role in data.known
    msg := sprintf("unknown role %v", [role])
}

double(x) := x * 2
"""
DATA = {"admins": ["ann", "bob"], "known": ["dev"]}


def rule(text: str, path: str, input_: Any = UNDEFINED, data: Any = None, **options: Any) -> Any:
    program = compile_modules({"t.rego": text}, data=data or {})
    return program.rule(path).eval(input_, options=Options(**options))


def test_a_rule_gives_its_value_sets_as_sorted_lists() -> None:
    program = compile_modules({"authz.rego": AUTHZ}, data=DATA)
    assert program.rule("data.authz.allow").eval({"user": "ann"}) is True
    assert program.rule("data.authz.allow").eval({"user": "eve"}) is False
    found = program.rule("data.authz.deny").eval({"roles": ["x", "dev", "a"]})
    assert found == ["unknown role a", "unknown role x"]


def test_undefined_is_told_from_every_value() -> None:
    assert rule("package t\n\np := input.a\n", "data.t.p", {}) is UNDEFINED
    assert rule("package t\n\np := input.a\n", "data.t.p", {"a": None}) is None


def test_a_missing_rule_and_a_function_are_key_errors() -> None:
    program = compile_modules({"authz.rego": AUTHZ}, data=DATA)
    for path in ("data.authz.nope", "data.authz.double"):
        with pytest.raises(KeyError):
            program.rule(path)


def test_a_query_gives_bindings_and_expressions() -> None:
    program = compile_modules({"authz.rego": AUTHZ}, data=DATA)
    results = program.prepare("x := data.admins[i]; y := data.authz.double(i)").eval()
    assert [r.bindings for r in results] == [
        {"x": "ann", "i": 0, "y": 0},
        {"x": "bob", "i": 1, "y": 2},
    ]
    only = program.prepare("data.authz.allow").eval({"user": "ann"})[0].expressions[0]
    assert (only.value, only.text, only.location.row) == (True, "data.authz.allow", 1)


def test_a_false_expression_alone_is_an_answer_among_others_it_is_none() -> None:
    program = compile_modules({})
    assert program.prepare("1 == 2").eval()[0].expressions[0].value is False
    assert program.prepare("x := 1; x == 2").eval() == []


def test_other_base_documents_need_no_compilation() -> None:
    program = compile_modules({"authz.rego": AUTHZ}, data=DATA)
    other = program.with_data({"admins": ["eve"], "known": []})
    assert other.rule("data.authz.allow").eval({"user": "eve"}) is True
    assert program.rule("data.authz.allow").eval({"user": "eve"}) is False


def test_the_input_is_never_changed() -> None:
    document = {"a": [3, 1, 2], "o": {"k": 1}}
    text = """package t

p := [sort(input.a), object.union(input.o, {"k": 2}), array.concat(input.a, [9])]

q if input.a == [] with input.a as []
"""
    program = compile_modules({"t.rego": text})
    program.rule("data.t.p").eval(document)
    program.rule("data.t.q").eval(document)
    assert document == {"a": [3, 1, 2], "o": {"k": 1}}


def test_booleans_are_not_numbers() -> None:
    text = """package t

s := {1, true, 1.0, false, 0}

eq := [x | some x in [1, 1.0, true, "1", null]; x == 1]

keys := {true: "t", 1: "n"}[true]

member if true in [1, input.a]
"""
    assert rule(text, "data.t.s") == [False, True, 0, 1]
    assert rule(text, "data.t.eq") == [1, 1.0]
    assert rule(text, "data.t.keys") == "t"
    assert rule(text, "data.t.member") is UNDEFINED


def test_conflicts_and_limits_are_typed_errors_with_a_place() -> None:
    with pytest.raises(RegoEvalError) as e:
        rule("package t\n\np := x if some x in [1, 2]\n", "data.t.p")
    assert (e.value.code, e.value.location and e.value.location.row) == ("eval_conflict_error", 3)
    with pytest.raises(RegoEvalError) as e:
        rule("package t\n\np := 1 / input.n\n", "data.t.p", {"n": 0}, strict_builtin_errors=True)
    assert e.value.code == "eval_builtin_error"
    assert rule("package t\n\np := 1 / input.n\n", "data.t.p", {"n": 0}) is UNDEFINED


@pytest.mark.parametrize(
    ("text", "code", "message", "row"),
    [
        ("p if x > 1", "rego_unsafe_var_error", "var x is unsafe", 3),
        ("p := q if q := r", "rego_unsafe_var_error", "var r is unsafe", 3),
        ("p if nope(1)", "rego_type_error", "undefined function nope", 3),
        ("p if count(1, 2, 3)", "rego_type_error", "count: arity mismatch", 3),
        ("p if q\nq if p", "rego_recursion_error", "rule data.t.p is recursive", 3),
        ("p := 1\np contains 2", "rego_type_error", "conflicting rules data.t.p found", 3),
        ("default p := 1\ndefault p := 2", "rego_type_error", "multiple default rules", 1),
        ("p if { x := 1; x := 2 }", "rego_compile_error", "var x assigned above", 3),
        ("p if { x == 1; x := 1 }", "rego_compile_error", "var x referenced above", 3),
        ("p.q := 1\np.q.r := 2", "rego_type_error", "rule data.t.p.q conflicts with", 3),
        ("p if not x := 1", "rego_compile_error", "cannot assign vars inside negated", 3),
        ('p if http.send({"url": "x"})', "rego_capability_error", "and data.t.p calls it", 3),
    ],
)
def test_compile_errors(text: str, code: str, message: str, row: int) -> None:
    from adjudge.rego.capabilities import gate_capabilities

    with pytest.raises(RegoErrors) as e:
        compile_modules({"t.rego": f"package t\n\n{text}\n"}, capabilities=gate_capabilities())
    found = [(x.code, x.message, x.location.row if x.location else 0) for x in e.value.errors]
    assert any(c == code and message in m and r == row for c, m, r in found), found


def test_all_errors_come_at_once_sorted_with_carets() -> None:
    text = "package t\n\nq if y > 2\n\np if x > 1\n"
    with pytest.raises(RegoErrors) as e:
        compile_modules({"t.rego": text})
    assert [x.location.row for x in e.value.errors if x.location] == [3, 5]
    assert "5 | p if x > 1" in e.value.render()
    assert "^" in e.value.render()


def test_one_program_serves_many_threads_with_overrides() -> None:
    text = """package t

p := input.n + data.offset

q[n] := v if {
    some n in input.list
    v := p with input.n as n with data.offset as n
}

g(x) := x
h(x) := g(x) + 1
r := v if v := h(input.n) with g as 10
"""
    program = compile_modules({"t.rego": text}, data={"offset": 1})
    failures: list[Any] = []

    def work(n: int) -> None:
        for _ in range(200):
            document = {"n": n, "list": [n, n + 1]}
            if program.rule("data.t.p").eval(document) != n + 1:
                failures.append("p")
            want = {str(n): 2 * n, str(n + 1): 2 * n + 2}
            if program.rule("data.t.q").eval(document) != want:
                failures.append("q")
            if program.rule("data.t.r").eval(document) != 11:
                failures.append("r")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failures == []


def test_the_clock_is_an_argument_and_stands_still() -> None:
    text = "package t\n\np := [time.now_ns(), time.now_ns()]\n"
    assert rule(text, "data.t.p", now_ns=42) == [42, 42]


def test_print_lines_are_collected() -> None:
    program = compile_modules({"t.rego": 'package t\n\np if print("x", input.a, input.b)\n'})
    _, lines = program.prepare("data.t.p").eval_with_prints({"a": 1})
    assert lines == ["x 1 <undefined>"]


def test_what_is_known_of_a_variable_ends_with_its_clause() -> None:
    text = """package t

p contains x if x := lower(input.a)

p contains x if x := input.b.c
"""
    assert rule(text, "data.t.p", {"a": "X", "b": {"c": [1]}}) == ["x", [1]]
