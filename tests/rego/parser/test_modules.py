"""Modules: packages, imports, heads, bodies, else, defaults, Rego v0."""

from __future__ import annotations

import pytest

from adjudge.rego.parser import parse_body, parse_module, parse_term
from adjudge.rego.syntax import (
    Body,
    Call,
    Every,
    Expr,
    Head,
    Import,
    Object,
    Ref,
    Rule,
    Scalar,
    Set,
    SetCompr,
    SomeDecl,
    SomeIn,
    Term,
    Var,
    With,
)

ONE, TWO = Scalar(1), Scalar(2)
P, Q, X, Y = (Var(name) for name in "pqxy")
TRUE = (Expr(Scalar(True)),)


def ref(head: Term, *operands: Term | str) -> Ref:
    return Ref(head, tuple(Scalar(o) if isinstance(o, str) else o for o in operands))


def body(*terms: Term) -> Body:
    return tuple(Expr(term) for term in terms)


RULES: list[tuple[str, list[Rule]]] = [
    ("p := 1", [Rule(Head(P, value=ONE))]),
    ("p = 1", [Rule(Head(P, value=ONE))]),
    ("p := 1 q := 2", [Rule(Head(P, value=ONE)), Rule(Head(Q, value=TWO))]),
    ("p if x", [Rule(Head(P), body(X))]),
    ("p if { x; y }", [Rule(Head(P), body(X, Y))]),
    ("p if {\n\tx\n\ty\n}", [Rule(Head(P), body(X, Y))]),
    ("p := 1 if x", [Rule(Head(P, value=ONE), body(X))]),
    ("p contains 1", [Rule(Head(P, key=ONE))]),
    ("p contains x if y", [Rule(Head(P, key=X), body(Y))]),
    ('p contains["a"] if y', [Rule(Head(P, key=parse_term('["a"]')), body(Y))]),
    ("p.q contains x if y", [Rule(Head(ref(P, "q"), key=X), body(Y))]),
    ("p[x] := y if x", [Rule(Head(ref(P, X), value=Y), body(X))]),
    ("p[x] if y", [Rule(Head(ref(P, X)), body(Y))]),
    ("p [x] if y", [Rule(Head(ref(P, X)), body(Y))]),
    ("p.q[x].r := 1", [Rule(Head(ref(P, "q", X, "r"), value=ONE))]),
    ("if.p := 1", [Rule(Head(ref(Var("if"), "p"), value=ONE))]),
    ("p.if := 1", [Rule(Head(ref(P, "if"), value=ONE))]),
    ("default.p := 1", [Rule(Head(ref(Var("default"), "p"), value=ONE))]),
    ("f(x)", [Rule(Head(Var("f"), (X,)))]),
    ("f(x, 1) := x", [Rule(Head(Var("f"), (X, ONE), value=X))]),
    ("f(x) if y", [Rule(Head(Var("f"), (X,)), body(Y))]),
    ("p.f(x) := 1 if y", [Rule(Head(ref(P, "f"), (X,), value=ONE), body(Y))]),
    ("p() := 1", [Rule(Head(P, value=ONE))]),
    ("default p := 1", [Rule(Head(P, value=ONE), default=True)]),
    ("default p", [Rule(Head(P), default=True)]),
    ("default f(_, x) := 1", [Rule(Head(Var("f"), (Var("_"), X), value=ONE), default=True)]),
    ("default p := {x | x}", [Rule(Head(P, value=SetCompr(X, body(X))), default=True)]),
    (
        "p if { x } { y }",
        [Rule(Head(P), body(X)), Rule(Head(P), body(Y))],
    ),
    (
        "p := 1 if x else := 2 if { y } else := y",
        [
            Rule(
                Head(P, value=ONE),
                body(X),
                Rule(Head(P, value=TWO), body(Y), Rule(Head(P, value=Y))),
            )
        ],
    ),
    ("p if x else if y", [Rule(Head(P), body(X), Rule(Head(P), body(Y)))]),
    (
        "f(x) := 1 if x else := 2",
        [Rule(Head(Var("f"), (X,), value=ONE), body(X), Rule(Head(Var("f"), (X,), value=TWO)))],
    ),
    # `if {`: a body, or an expression that begins with braces
    ("p if {}", [Rule(Head(P), body(Object(())))]),
    ("p if { x }", [Rule(Head(P), body(X))]),
    ("p if { x == y }", [Rule(Head(P), body(Call(Var("equal"), (X, Y))))]),
    ("p if { x: y }", [Rule(Head(P), body(Object(((X, Y),))))]),
    ("p if { x | y }", [Rule(Head(P), body(SetCompr(X, body(Y))))]),
    ("p if { (x | y) }", [Rule(Head(P), body(Call(Var("or"), (X, Y))))]),
    ("p if { x } == y", [Rule(Head(P), body(Call(Var("equal"), (Set((X,)), Y))))]),
    ("p if { x, y }[x]", [Rule(Head(P), body(ref(Set((X, Y)), X)))]),
    ("p if set() == x", [Rule(Head(P), body(Call(Var("equal"), (Set(()), X))))]),
]


@pytest.mark.parametrize(("text", "rules"), RULES, ids=[text for text, _ in RULES])
def test_rules(text: str, rules: list[Rule]) -> None:
    assert list(parse_module("package a\n" + text).rules) == rules


V0_RULES: list[tuple[str, list[Rule]]] = [
    ("p { x }", [Rule(Head(P), body(X))]),
    ("p = 1 { x }", [Rule(Head(P, value=ONE), body(X))]),
    ("p[x] { y }", [Rule(Head(P, key=X), body(Y))]),
    ('p["a"]', [Rule(Head(P, key=Scalar("a")))]),
    ("p[x] = y { x }", [Rule(Head(ref(P, X), value=Y), body(X))]),
    ("p.q.r { x }", [Rule(Head(ref(P, "q", "r")), body(X))]),
    ("f(x) { x } { y }", [Rule(Head(Var("f"), (X,)), b) for b in (body(X), body(Y))]),
    (
        "p = 1 { x } else = 2 { y }",
        [Rule(Head(P, value=ONE), body(X), Rule(Head(P, value=TWO), body(Y)))],
    ),
    ("p { x } else { y }", [Rule(Head(P), body(X), Rule(Head(P), body(Y)))]),
    ("if = 1", [Rule(Head(Var("if"), value=ONE))]),
    ("p { in }", [Rule(Head(P), body(Var("in")))]),
]


@pytest.mark.parametrize(("text", "rules"), V0_RULES, ids=[text for text, _ in V0_RULES])
def test_v0_rules(text: str, rules: list[Rule]) -> None:
    module = parse_module("package a\n" + text, rego_version=0)
    assert list(module.rules) == rules
    assert module.rego_version == 0


@pytest.mark.parametrize(
    "imports",
    [
        "import rego.v1",
        "import future.keywords",
        "import future.keywords.if\nimport future.keywords.in",
        "import future.keywords.if\nimport future.keywords.every",
    ],
)
def test_v0_imports_make_keywords(imports: str) -> None:
    module = parse_module(f"package a\n{imports}\np if {{ x in y }}", rego_version=0)
    assert len(module.rules) == 1
    assert module.rego_version == (1 if "rego" in imports.split()[1] else 0)


def test_import_rego_v1_forbids_v0_rules_everywhere() -> None:
    with pytest.raises(Exception, match="`if` keyword is required"):
        parse_module("package a\np { true }\nimport rego.v1", rego_version=0)


EXPRESSIONS: list[tuple[str, Body]] = [
    ("x; y", body(X, Y)),
    ("x\ny", body(X, Y)),
    ("not x", (Expr(X, True),)),
    ("not.x", body(ref(Var("not"), "x"))),
    ("x := 1", body(Call(Var("assign"), (X, ONE)))),
    ("x = 1", body(Call(Var("eq"), (X, ONE)))),
    ("some x", body_some := (Expr(SomeDecl((X,))),)),
    ("some x, y", (Expr(SomeDecl((X, Y))),)),
    ("some x\n[1][x]", (*body_some, Expr(parse_body("[1][x]")[0].term))),
    ("some x in y", (Expr(SomeIn(None, X, Y)),)),
    ("some x, y in p", (Expr(SomeIn(X, Y, P)),)),
    ("some 1, {x} in p", (Expr(SomeIn(ONE, Set((X,)), P)),)),
    ("every x in p { x }", (Expr(Every(None, X, P, body(X))),)),
    ("every x, y in p { x; y }", (Expr(Every(X, Y, P, body(X, Y))),)),
    ("x with input as 1", (Expr(X, False, (With(Var("input"), ONE),)),)),
    (
        "not x with input.a as 1 with data.b as y",
        (
            Expr(
                X,
                True,
                (With(ref(Var("input"), "a"), ONE), With(ref(Var("data"), "b"), Y)),
            ),
        ),
    ),
    ("some x in y with input as 1", (Expr(SomeIn(None, X, Y), False, (With(Var("input"), ONE),)),)),
    ("with.x == 1", body(Call(Var("equal"), (ref(Var("with"), "x"), ONE)))),
    ("x\nwith.y", body(X, ref(Var("with"), "y"))),
]


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS, ids=[text for text, _ in EXPRESSIONS])
def test_bodies(text: str, expected: Body) -> None:
    assert parse_body(text) == expected


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("package a", ("a",)),
        ("package a.b", ("a", "b")),
        ('package a["b c"].d', ("a", "b c", "d")),
        ("package\na", ("a",)),
        ("package if.not", ("if", "not")),
        ("\ufeffpackage a", ("a",)),
        ("package a\r\n\r\np := 1\r\n", ("a",)),
    ],
)
def test_packages(text: str, path: tuple[str, ...]) -> None:
    assert parse_module(text).package == path


def test_imports() -> None:
    text = 'package a\nimport data.b\nimport input["x y"] as z\nimport rego.v1\nimport input\n'
    assert parse_module(text).imports == (
        Import(ref(Var("data"), "b")),
        Import(ref(Var("input"), "x y"), "z"),
        Import(ref(Var("rego"), "v1")),
        Import(Var("input")),
    )


def test_locations_point_to_first_characters_and_rules_know_their_end() -> None:
    module = parse_module(
        "package a\n\nimport data.b\n\n"
        "p contains x if {\n\tx := (1 + q.y)\n\tnot b\n}\n\nr := `\n\n`\n\n"
        "f(x) := 1 if x\nelse := 2\n",
        "m.rego",
    )
    assert str(module.package_loc) == "m.rego:1:1"
    assert str(module.imports[0].loc) == "m.rego:3:1"
    first, second, third = module.rules
    assert [str(rule.loc) for rule in module.rules] == ["m.rego:5:1", "m.rego:10:1", "m.rego:14:1"]
    assert [rule.end_row for rule in module.rules] == [8, 12, 14]
    assert first.head.key is not None
    assert str(first.head.key.loc) == "m.rego:5:12"
    assert [str(expr.loc) for expr in first.body] == ["m.rego:6:2", "m.rego:7:2"]
    assigned = first.body[0].term
    assert isinstance(assigned, Call)
    assert [str(arg.loc) for arg in assigned.args] == ["m.rego:6:2", "m.rego:6:8"]
    assert third.orelse is not None
    assert (str(third.orelse.loc), third.orelse.end_row) == ("m.rego:15:1", 15)
    assert second.head.assign


def test_columns_count_characters() -> None:
    module = parse_module('package a\np := ["é😀", x]')
    value = module.rules[0].head.value
    assert value is not None
    assert [item.loc.col for item in value.items] == [7, 13]  # type: ignore[union-attr]


def test_comments_are_kept() -> None:
    module = parse_module("# one\npackage a # two\r\n\np := [ #three\n1]\n#")
    found = [(comment.text, comment.loc.row, comment.loc.col) for comment in module.comments]
    assert found == [(" one", 1, 1), (" two", 2, 11), ("three", 4, 8), ("", 6, 1)]
