"""What the fast variant does to plans may not be seen: the same answers, errors and prints."""

from __future__ import annotations

from typing import Any

import pytest

from adjudge.rego import UNDEFINED, Options, RegoEvalError, compile_modules
from adjudge.rego.runtime.limits import Limits

STRICT = Options(strict_builtin_errors=True)


def rule(body: str, input_: Any = UNDEFINED, data: Any = None, options: Options = STRICT) -> Any:
    program = compile_modules({"t.rego": f"package t\n\n{body}\n"}, data=data or {})
    return program.rule("data.t.p").eval(input_, options=options)


JOINED = """p contains x if {
    some c in input.xs
    c.a == 1
    x := concat("-", ["a", c.n])
}

p contains x if {
    some c in input.xs
    not c.a
    x := sprintf("%s has no a", [c.n])
}

p contains c.n if {
    some c in input.xs
    some d in c.ds
    d == input.wanted
}

p contains "none" if count(input.xs) == 0

p contains sprintf("%v", [y]) if some y in input.ys
"""


def test_clauses_over_the_same_collection_find_what_each_of_them_finds() -> None:
    document = {
        "xs": [{"n": "k", "a": 1}, {"n": "l", "ds": [1, 2]}, {"n": "m", "a": 2, "ds": [2]}],
        "ys": ["s", 7, 1.5, None, [1], {"a": {}}],
        "wanted": 2,
    }
    texts = ["s", "7", "1.5", "null", "[1]", '{"a": {}}']
    found = rule(JOINED, document)
    assert set(found) == {"a-k", "l has no a", "l", "m", *texts}
    assert rule(JOINED, {"xs": [], "ys": []}) == ["none"]
    assert rule(JOINED, {"ys": ["s"]}) == ["s"]
    assert rule(JOINED, {"xs": {"k": {"n": "k", "a": 1}}}) == ["a-k"]


@pytest.mark.parametrize(
    "body",
    [
        "p contains x if { some x in input.xs; to_number(input.word) > x }",
        "p contains x if { some x in input.xs; f(input.word) == x }\n\nf(w) := to_number(w)",
        "p contains x if { some x in input.xs; q == x }\n\nq := to_number(input.word)",
        "p contains x if { some x in input.xs; x in [to_number(w) | some w in [input.word]] }",
    ],
)
def test_what_moves_out_of_a_loop_still_runs_only_when_it_is_reached(body: str) -> None:
    assert rule(body, {"xs": [], "word": "no number"}) == []
    with pytest.raises(RegoEvalError) as e:
        rule(body, {"xs": [1], "word": "no number"})
    assert e.value.code == "eval_builtin_error"
    lenient = rule(body, {"xs": [1], "word": "no number"}, options=Options())
    assert lenient in ([], UNDEFINED)


def test_what_does_not_change_in_a_loop_is_the_same_in_every_iteration() -> None:
    body = """p contains [x, y, lower(input.word), q] if {
    some x in input.xs
    lower(input.word) != x
    some y in input.ys
    y > count(input.xs) - 2
    data.limit[input.word] > y
}

q := {z | some z in input.xs}
"""
    document = {"xs": ["a", "b", "c"], "ys": [1, 2, 3], "word": "B"}
    found = rule(body, document, {"limit": {"B": 3}})
    assert found == [["a", 2, "b", ["a", "b", "c"]], ["c", 2, "b", ["a", "b", "c"]]]


def test_with_in_a_loop_sees_its_own_values() -> None:
    body = """p contains [x, y] if {
    some x in input.xs
    y := q with input.n as x
}

q := upper(input.n)
"""
    assert rule(body, {"xs": ["a", "b"]}) == [["a", "A"], ["b", "B"]]
    mocked = "p contains y if { some x in [1, 2]; y := q(x) with q as 5 }\n\nq(x) := x"
    assert rule(mocked, {}) == [5]


def test_what_moves_ahead_of_a_loop_does_not_read_a_rule_that_has_no_value_yet() -> None:
    text = """lists.known := {n: 1 | some n in input.known}

    p contains n if {
        some n in input.names
        not lists.known[n]
    }"""
    assert rule(text, {"known": ["a"], "names": ["a", "b"]}) == ["b"]


def test_constants_are_not_put_in_where_with_replaces_them() -> None:
    body = """p := [limit, q, x] if x := q with data.t.limit as 9

limit := 3

q := limit + 1
"""
    assert rule(body) == [3, 4, 10]
    program = compile_modules({"t.rego": "package t\n\nlimit := 3\n\nq := limit + 1\n"})
    (answer,) = program.prepare("x := data.t.q with data.t.limit as 1").eval()
    assert answer.bindings == {"x": 2}
    (answer,) = program.prepare('x := data.t.q with data.t as {"q": 7}').eval()
    assert answer.bindings == {"x": 7}


def test_parts_of_constants_are_found_or_undefined() -> None:
    body = """p := [config.a.b[1], config["a"].b[0], object.get(config, "z", 0)] if {
    not config.a[input]
}

config := {"a": {"b": [1, {true: "t"}]}}
"""
    assert rule(body, "c") == [{"true": "t"}, 1, 0]
    assert rule('p := c.x[input]\n\nc := {"x": {"y": 1}}', "z") is UNDEFINED


def test_prints_keep_their_order() -> None:
    body = """p contains 1 if { some x in [1, 2]; print("first", x) }

p contains 2 if { some x in [1, 2]; print("second", x, input.a) }
"""
    program = compile_modules({"t.rego": f"package t\n\n{body}"})
    _, lines = program.prepare("data.t.p").eval_with_prints({"a": 0})
    assert lines == ["first 1", "first 2", "second 1 0", "second 2 0"]


@pytest.mark.parametrize(
    ("body", "document", "expected"),
    [
        ("p if input.a == 0", {"a": False}, UNDEFINED),
        ("p if input.a == 1", {"a": True}, UNDEFINED),
        ("p if input.a == 1", {"a": 1.0}, True),
        ("p if input.a != 1", {"a": True}, True),
        ("p if input.a == input.b", {"a": 1, "b": True}, UNDEFINED),
        ("p if input.a < input.b", {"a": False, "b": 0}, True),
        ("p if input.a < 1.5", {"a": "x"}, UNDEFINED),
        ('p if input.a < "b"', {"a": 1}, True),
        ("p := input.a + input.b", {"a": 1, "b": 2.5}, 3.5),
        ("p := input.a - input.b", {"a": "x", "b": 1}, UNDEFINED),
        ("p if input.a in [1, true]", {"a": 1.0}, True),
        ('p if "a" in input.a', {"a": {"k": "a"}}, True),
        ("p if input.a in input.b", {"a": "x", "b": "xyz"}, UNDEFINED),
        ('p if contains(input.a, "x")', {"a": ["x"]}, UNDEFINED),
        ("p := lower(input.a)", {"a": "ÀB"}, "àb"),
        ("p := upper(input.a)", {"a": "straße"}, "STRAßE"),
        ('p := sprintf("%s", [input.a])', {"a": 5}, "%!s(int64=5)"),
        ('p := sprintf("%v%%", [input.a])', {"a": 5}, "5%"),
        ('p := sprintf("100%%", [])', {}, "100%"),
        ('p if regex.match("^a+$", input.a)', {"a": "aaa"}, True),
        ('p if regex.match("[[[", "x")', {}, UNDEFINED),
        ('p if glob.match("a.*", [], input.a)', {"a": "a.b.c"}, UNDEFINED),
        ('p if glob.match("a.*", null, input.a)', {"a": "a.b.c"}, True),
        ('p := split(input.a, ".")', {"a": "a.b"}, ["a", "b"]),
        ("p := [is_string(input.a), is_boolean(input.a)]", {"a": True}, [False, True]),
        ("p := count(input.a)", {"a": {"k": 1}}, 1),
        ("p := input.a[input.k]", {"a": [7], "k": 0.0}, 7),
    ],
)
def test_direct_operations_mean_what_the_builtins_mean(
    body: str, document: Any, expected: Any
) -> None:
    assert rule(body, document, options=Options()) == expected


def test_texts_that_double_end_in_an_error() -> None:
    rules = [f'a{n} := sprintf("%s%s", [a{n - 1}, a{n - 1}])' for n in range(1, 60)]
    rules += ["a0 := input.x", "p := count(a59)"]
    options = Options(limits=Limits(size=100_000))
    with pytest.raises(RegoEvalError, match="would exceed"):
        rule("\n".join(rules), {"x": "xx"}, options=options)


def test_functions_that_double_end_in_an_error() -> None:
    rules = [f"f{n}(x) if {{ not f{n - 1}([x, 1]); not f{n - 1}([x, 2]) }}" for n in range(1, 60)]
    rules += ["f0(x) if x == input", "p if f59(input)"]
    options = Options(limits=Limits(steps=100_000, seconds=5))
    with pytest.raises(RegoEvalError) as e:
        rule("\n".join(rules), 1, options=options)
    assert e.value.code == "eval_limit_error"
