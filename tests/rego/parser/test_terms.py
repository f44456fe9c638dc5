"""Terms: what each piece of text means."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adjudge.rego.parser import parse_body, parse_ref, parse_term
from adjudge.rego.runtime.values import LiteralFloat
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Call,
    Expr,
    Object,
    ObjectCompr,
    Ref,
    Scalar,
    Set,
    SetCompr,
    Template,
    Term,
    Var,
    With,
)

ONE, TWO, THREE = Scalar(1), Scalar(2), Scalar(3)
A, B, C, X, Y = (Var(name) for name in "abcxy")
MEMBER_2 = Ref(Var("internal"), (Scalar("member_2"),))
MEMBER_3 = Ref(Var("internal"), (Scalar("member_3"),))


def call(name: str, *args: Term) -> Call:
    return Call(Var(name), args)


def ref(head: Term, *operands: Term | str) -> Ref:
    return Ref(head, tuple(Scalar(o) if isinstance(o, str) else o for o in operands))


TERMS: list[tuple[str, Term]] = [
    # scalars
    ("null", Scalar(None)),
    ("true", Scalar(True)),
    ("-1", Scalar(-1)),
    ("- 1", Scalar(-1)),
    ('""', Scalar("")),
    (r'"a\"\\\/\b\f\n\r\t\u0041"', Scalar('a"\\/\b\f\n\r\tA')),
    (r'"\ud83d\ude00"', Scalar("😀")),
    (r'"\ud83d"', Scalar("\ufffd")),
    ('"\t"', Scalar("\t")),
    ("`a\\n\n`", Scalar("a\\n\n")),
    # references and calls
    ("_", Var("_")),
    ("a.b", ref(A, "b")),
    ('a["b"]', ref(A, "b")),
    ("a.b[x].c", ref(A, "b", X, "c")),
    ("a.if.not", ref(A, "if", "not")),
    ("if.b", ref(Var("if"), "b")),
    ("contains.b", ref(Var("contains"), "b")),
    ("a[b[c]]", ref(A, ref(B, C))),
    ("a[1 + 2]", ref(A, call("plus", ONE, TWO))),
    ("a[\n1\n]", ref(A, ONE)),
    ("[1, 2][x]", ref(Array((ONE, TWO)), X)),
    ('{"a": 1}.a', ref(Object(((Scalar("a"), ONE),)), "a")),
    ("{1}[x]", ref(Set((ONE,)), X)),
    ("(a).b", ref(A, "b")),
    ("(a + b)[0]", ref(call("plus", A, B), Scalar(0))),
    ("f()", call("f")),
    ("f(x, 1,)", call("f", X, ONE)),
    ("a.f(x)", Call(ref(A, "f"), (X,))),
    ("f(x).a[y]", ref(call("f", X), "a", Y)),
    ("f(x).g(y)", Call(ref(call("f", X), "g"), (Y,))),
    ("contains(a, b)", call("contains", A, B)),
    ("f(x in y)", call("f", Call(MEMBER_2, (X, Y)))),
    # collections
    ("[]", Array(())),
    ("[1, 2,]", Array((ONE, TWO))),
    ("[\n1,\n2,\n]", Array((ONE, TWO))),
    ("[, 1]", Array((ONE,))),
    ("[x, 1 in y]", Array((X, Call(MEMBER_2, (ONE, Y))))),
    ("{}", Object(())),
    ("{a: 1, b: 2,}", Object(((A, ONE), (B, TWO)))),
    ("{a + 1: b + 2}", Object(((call("plus", A, ONE), call("plus", B, TWO)),))),
    ("{x in y: x in y}", Object(((Call(MEMBER_2, (X, Y)), Call(MEMBER_2, (X, Y))),))),
    ("set()", Set(())),
    ("{1, 2,}", Set((ONE, TWO))),
    ("{1 == 2}", Set((call("equal", ONE, TWO),))),
    ("[1 | 2, 3]", Array((call("or", ONE, TWO), THREE))),
    ("{1 | 2, 3}", Set((call("or", ONE, TWO), THREE))),
    ("{a: 1 | 2, b: 3}", Object(((A, call("or", ONE, TWO)), (B, THREE)))),
    ("{(1 | 2)}", Set((call("or", ONE, TWO),))),
    ("{1 + 2 | 3}", Set((call("or", call("plus", ONE, TWO), THREE),))),
    # comprehensions
    ("[x | y]", ArrayCompr(X, (Expr(Y),))),
    ("{x | y; a\nb}", SetCompr(X, (Expr(Y), Expr(A), Expr(B)))),
    ("{x: y | a}", ObjectCompr(X, Y, (Expr(A),))),
    ("{x | a | b}", SetCompr(X, (Expr(call("or", A, B)),))),
    ("{x | a, b in c}", SetCompr(X, (Expr(Call(MEMBER_3, (A, B, C))),))),
    ("[[x | y] | a]", ArrayCompr(ArrayCompr(X, (Expr(Y),)), (Expr(A),))),
    # operators
    ("1 + 2 * 3", call("plus", ONE, call("mul", TWO, THREE))),
    ("(1 + 2) * 3", call("mul", call("plus", ONE, TWO), THREE)),
    ("1 - 2 - 3", call("minus", call("minus", ONE, TWO), THREE)),
    ("1 -2", call("minus", ONE, TWO)),
    ("a * b / c % 2", call("rem", call("div", call("mul", A, B), C), TWO)),
    ("a | b & c", call("or", A, call("and", B, C))),
    ("a & b + c", call("and", A, call("plus", B, C))),
    ("a == b | c", call("equal", A, call("or", B, C))),
    ("a < b == c", call("equal", call("lt", A, B), C)),
    ("a != b", call("neq", A, B)),
    ("a <= b", call("lte", A, B)),
    ("a > b", call("gt", A, B)),
    ("a >= b", call("gte", A, B)),
    ("-a", call("minus", Scalar(0), A)),
    ("-a.b * 2", call("mul", call("minus", Scalar(0), ref(A, "b")), TWO)),
    ("1 - -1", call("minus", ONE, Scalar(-1))),
    ("a in b", Call(MEMBER_2, (A, B))),
    ("a, b in c", Call(MEMBER_3, (A, B, C))),
    ("a in b in c", Call(MEMBER_2, (Call(MEMBER_2, (A, B)), C))),
    ("a == 1 in b", Call(MEMBER_2, (call("equal", A, ONE), B))),
    ("(a, b in c)", Call(MEMBER_3, (A, B, C))),
    # templates
    ('$""', Template(())),
    ('$"a"', Template(("a",))),
    ('$"{x}"', Template((X,))),
    ('$"a{x}b{y}c"', Template(("a", X, "b", Y, "c"))),
    (r'$"\{x}\n"', Template(("{x}\n",))),
    ('$"{{1: 2}}"', Template((Object(((ONE, TWO),)),))),
    ('$"{{x | y}}"', Template((SetCompr(X, (Expr(Y),)),))),
    ('$"{"}"}{$"{x}"}"', Template((Scalar("}"), Template((X,))))),
    ('$"{\n x # why\n}"', Template((X,))),
    ("$`a\\n{x}\n\\{`", Template(("a\\n", X, "\n{"), raw=True)),
    (
        '$"{x with input as 1}"',
        Template((Expr(X, False, (With(Var("input"), ONE),)),)),
    ),
]


@pytest.mark.parametrize(("text", "term"), TERMS, ids=[text for text, _ in TERMS])
def test_term(text: str, term: Term) -> None:
    body = parse_body(text)
    assert [expr.term for expr in body] == [term]
    assert body[0].negated is False


NUMBERS: list[tuple[str, type, str]] = [
    ("0", int, "0"),
    ("-0", LiteralFloat, "-0"),
    ("123456789012345678901234567890", int, "123456789012345678901234567890"),
    ("0.1", float, "0.1"),
    ("-0.1", float, "-0.1"),
    (".5", float, "0.5"),
    ("1.0", LiteralFloat, "1.0"),
    ("1.50", LiteralFloat, "1.50"),
    ("1e3", LiteralFloat, "1e3"),
    ("1E3", LiteralFloat, "1E3"),
    ("1234567.5", LiteralFloat, "1234567.5"),
    ("0.00001", LiteralFloat, "0.00001"),
    ("1e400", Decimal, "1E+400"),
    ("1e-400", Decimal, "1E-400"),
    ("0.33333333333333333334", Decimal, "0.33333333333333333334"),
    ("12345678901234567890.0", Decimal, "12345678901234567890.0"),
]


@pytest.mark.parametrize(("text", "kind", "spelled"), NUMBERS)
def test_number(text: str, kind: type, spelled: str) -> None:
    term = parse_term(text)
    assert isinstance(term, Scalar)
    value = term.value
    assert type(value) is kind
    assert (value.text if isinstance(value, LiteralFloat) else str(value)) == spelled


def test_references() -> None:
    assert parse_ref("data.a[x]") == ref(Var("data"), "a", X)
    assert parse_ref("input") == Var("input")


def test_infix_operators_are_marked() -> None:
    for text in ("a + b", "a in b", "a, b in c", "-a"):
        term = parse_term(text)
        assert isinstance(term, Call)
        assert term.infix
    called = parse_term("plus(a, b)")
    assert isinstance(called, Call)
    assert not called.infix
