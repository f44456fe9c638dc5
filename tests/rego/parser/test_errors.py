"""Texts that are not Rego: the message, where it points, and what else is found."""

from __future__ import annotations

import pytest

from adjudge.errors import AdjudgeError
from adjudge.rego.errors import RegoErrors
from adjudge.rego.parser import parse_body, parse_module, parse_ref, parse_term

PACKAGE = "package a\n"
V2 = PACKAGE + "import rego.v2\n"


def _errors(text: str, rego_version: int = 1, **options: object) -> list[AdjudgeError]:
    with pytest.raises(RegoErrors) as caught:
        parse_module(text, "a.rego", rego_version, **options)  # type: ignore[arg-type]
    return caught.value.errors


CASES = [
    # syntax
    ("", "1:1", "empty module"),
    ("# only a comment\n", "2:1", "empty module"),
    ("p := 1\n", "1:1", "package expected"),
    ("p\n", "1:1", "package expected"),
    (PACKAGE + "p := a.", "2:7", "unexpected eof token: expected identifier"),
    (PACKAGE + "p := a. b", "2:8", "unexpected whitespace token: expected identifier"),
    (PACKAGE + "p := a.[b]", "2:8", "unexpected [ token: expected identifier"),
    (PACKAGE + "p ] := 1", "2:3", "unexpected ] token"),
    (PACKAGE + "p q := 1", "2:1", "var cannot be used for rule name"),
    ("package a\npackage b\n", "2:1", "unexpected package"),
    ("package", "1:8", "unexpected eof token"),
    ("package 1", "1:9", "unexpected number token"),
    ("package a[1]", "1:11", "unexpected number token: expecting string"),
    ("package a[b]", "1:11", "unexpected var token: expecting string"),
    (PACKAGE + "p := ", "2:6", "unexpected eof token"),
    (PACKAGE + "p if", "2:5", "unexpected eof token"),
    (PACKAGE + "p if {", "2:7", "unexpected eof token"),
    (PACKAGE + "p if { x", "2:9", r"unexpected eof token: expected \n or ; or }"),
    (PACKAGE + "p if { x; }", "2:11", "unexpected } token"),
    (PACKAGE + "p if { x y }", "2:10", r"unexpected identifier token: expected \n or ; or }"),
    (PACKAGE + "p if { x := 1 y }", "2:15", r"unexpected identifier token: expected \n or ; or }"),
    (PACKAGE + "p if { a = b = c }", "2:14", r"unexpected eq token: expected \n or ; or }"),
    (PACKAGE + "p := [1, 2", "2:11", 'unexpected eof token: expected "," or "]"'),
    (PACKAGE + "p := [1 2]", "2:9", 'unexpected number token: expected "," or "]"'),
    (PACKAGE + "p := {1 2}", "2:9", "unexpected number token: non-terminated set"),
    (PACKAGE + 'p := {"a": 1 2}', "2:14", "unexpected number token: non-terminated object"),
    (PACKAGE + 'p := {"a": 1, "b"}', "2:18", 'unexpected } token: expected ":"'),
    (PACKAGE + "p := (1", "2:8", "non-terminated expression"),
    (PACKAGE + "p := a[1", "2:9", "unexpected eof token: expected ["),
    (PACKAGE + "p := f(1", "2:9", 'unexpected eof token: expected "," or ")"'),
    (PACKAGE + "p := 1 +", "2:9", "unexpected eof token"),
    (PACKAGE + "p := if", "2:6", "unexpected if keyword"),
    (PACKAGE + "p := 1[0]", "2:6", "illegal ref (head cannot be number)"),
    (PACKAGE + 'p := "a"[0]', "2:6", "illegal ref (head cannot be string)"),
    (PACKAGE + "p := (a.b).c", "2:7", "illegal ref (head cannot be ref)"),
    (PACKAGE + "p := -true", "2:7", "unexpected true keyword: expected number"),
    # characters, strings and numbers
    (PACKAGE + "p := 'a'", "2:6", "illegal token"),
    (PACKAGE + "p := 1 ! 2", "2:8", "illegal ! character"),
    (PACKAGE + "p := $a", "2:6", "illegal $ character"),
    (PACKAGE + "p := \u00a01", "2:6", "illegal non-breaking space character, use a regular space"),
    (PACKAGE + "p := 1\0", "2:7", "illegal null character"),
    (PACKAGE + 'p := "\ufeff"', "2:7", "illegal byte-order mark"),
    (PACKAGE + 'p := "\udc80"', "2:7", "illegal character: a lone surrogate"),
    (PACKAGE + 'p := "a', "2:6", "non-terminated string"),
    (PACKAGE + "p := `a", "2:6", "non-terminated string"),
    (PACKAGE + r'p := "\x"', "2:6", "illegal escape sequence"),
    (PACKAGE + r'p := "\u12g4"', "2:6", r'illegal string literal: "\u12g4"'),
    (PACKAGE + 'p := "a\\n\tb"', "2:6", "illegal string literal"),
    (PACKAGE + "p := 01", "2:6", "unexpected number token: expected number without leading zero"),
    (PACKAGE + "p := 1.", "2:6", "illegal number format"),
    (PACKAGE + "p := 1e", "2:6", "illegal number format"),
    (PACKAGE + "p := 1x", "2:6", "illegal number format"),
    (PACKAGE + "p := 1e999999999999", "2:6", "number too big"),
    (PACKAGE + "p := " + "9" * 5000, "2:6", "number too big"),
    (PACKAGE + 'p := $"a', "2:6", "non-terminated string"),
    (PACKAGE + 'p := $"{', "2:9", "unexpected eof token"),
    (PACKAGE + 'p := $"{}"', "2:9", "unexpected } token"),
    (PACKAGE + 'p := $"{x', "2:10", "expected } to end template string expression"),
    (PACKAGE + 'p := $"{not x}"', "2:9", "unexpected negation ('not') in template-string"),
    (PACKAGE + 'p := $"{x := 1}"', "2:9", "unexpected assignment (':=') in template-string"),
    (PACKAGE + 'p := $"{x = 1}"', "2:9", "unexpected unification ('=') in template-string"),
    (PACKAGE + 'p := $"{some x}"', "2:9", "unexpected 'some' in template-string expression"),
    # bodies
    (PACKAGE + "p if {not some x in y}", "2:11", "unexpected some keyword: illegal negation of"),
    (PACKAGE + "p if {some}", "2:11", "unexpected } token"),
    (PACKAGE + "p if {some x == y}", "2:18", "expected `x in xs` or `x, y in xs` expression"),
    (PACKAGE + "p if {every x {true}}", "2:15", "expected `x[, y] in xs { ... }` expression"),
    (PACKAGE + "p if {every x in y}", "2:19", "unexpected } token: missing body"),
    (PACKAGE + "p if {every 1, x in y {true}}", "2:13", "expected key to be a variable"),
    (PACKAGE + "p if {every x in y {}}", "2:21", "found empty body"),
    (PACKAGE + "p if {x with y}", "2:15", "unexpected } token: expected as keyword"),
    (PACKAGE + "p if {x with 1 as 2}", "2:14", "unexpected number token: expected ident"),
    (PACKAGE + "p if {x with f() as 2}", "2:18", "expected with target path"),
    # rules
    (PACKAGE + "p", "2:1", "var cannot be used for rule name"),
    (PACKAGE + "1", "2:1", "number cannot be used for rule name"),
    (PACKAGE + "[1] = x", "2:1", "array cannot be used for rule name"),
    (PACKAGE + "not p", "2:1", "negated expressions cannot be used for rule head"),
    (PACKAGE + "some x", "2:1", "'some' declarations cannot be used for rule head"),
    (PACKAGE + "p with input as 1", "2:1", "expressions using with keyword cannot be used"),
    (PACKAGE + "p := 1; q := 2", "2:1", "multiple expressions cannot be used for rule head"),
    (PACKAGE + "p == 1", "2:1", "rule name conflicts with built-in function"),
    (PACKAGE + "f()", "2:1", "rule argument list must take at least one argument"),
    (PACKAGE + "f(x) contains 1", "2:6", "the contains keyword can only be used with multi-value"),
    (PACKAGE + "every := 1", "2:1", "every keyword cannot be used for rule name"),
    (PACKAGE + "default if := 1", "2:9", "if keyword cannot be used for rule name"),
    (PACKAGE + "p { true }", "2:1", "`if` keyword is required before rule body"),
    (PACKAGE + "f(x) { true }", "2:1", "`if` keyword is required before function body"),
    (PACKAGE + "p[1]", "2:1", "`contains` keyword is required for partial set rules"),
    (PACKAGE + "p.q.r", "2:1", "rule must have value assignment and/or body declaration"),
    (PACKAGE + "p := 1 if true else { true }", "2:16", "`if` keyword is required before rule body"),
    (PACKAGE + "p := 1 if true else true", "2:21", "expected else value term or rule body"),
    (
        PACKAGE + "p contains 1 if true else := 2",
        "2:22",
        "else keyword cannot be used on multi-value",
    ),
    (
        PACKAGE + "p[x] := 1 if x := 1 else := 2",
        "2:21",
        "else keyword cannot be used on rules with",
    ),
    (PACKAGE + "p if {true} else if {false} {true}", "2:29", "expected else keyword"),
    (PACKAGE + "default p.q", "2:1", "illegal default rule (must have a value)"),
    (PACKAGE + "default p := x", "2:1", "illegal default rule (value cannot contain var)"),
    (PACKAGE + "default p := [input.x]", "2:1", "illegal default rule (value cannot contain ref)"),
    (PACKAGE + "default p := f(1)", "2:1", "illegal default rule (value cannot contain call)"),
    (PACKAGE + "default f(1) := 1", "2:1", "illegal default rule (arguments cannot contain number"),
    (PACKAGE + "default f(x, x) := 1", "2:1", "illegal default rule (arguments cannot be repeated"),
    # imports
    (PACKAGE + "import x", "2:8", "unexpected import path, must begin with one of: {data, future"),
    (PACKAGE + "import data.x as", "2:17", "unexpected eof token: expected var"),
    (PACKAGE + "import data.x as input", "2:18", "import alias, must not be a reserved name"),
    (PACKAGE + "import data.x.if", "2:15", "unexpected import path, must not end with a keyword"),
    (PACKAGE + "import data.x[y]", "2:15", "unexpected var token: expecting string"),
    (PACKAGE + "import rego.v3", "2:8", "invalid import `rego.v3`"),
    (PACKAGE + "import rego.v1 as x", "2:19", "`rego` imports cannot be aliased"),
    (PACKAGE + "import future.x", "2:8", "invalid import, must be `future.keywords`"),
    (PACKAGE + "import future.keywords.x", "2:8", "unexpected keyword, must be one of"),
    (PACKAGE + "import rego.v3", "2:8", "invalid import `rego.v3`, must be one of: `rego.v1`"),
    # conditions
    (V2 + "p if a or ()", "3:11", "empty parenthesized group"),
    (V2 + "p if a and ({b or c})", "3:12", "`(...)` in an operand position cannot contain a body"),
    (V2 + "p if a and (b or c", "3:19", "expected ) to close parenthesized group"),
    (V2 + "p if (a or b) == c", "3:15", "unexpected equal token"),
    (V2 + "p if { (a or b) == c }", "3:17", "unexpected equal token"),
    (V2 + "p if a and (x := 1)", "3:15", "non-terminated expression"),
    (V2 + "p if a with input as b and c", "3:8", "`with` modifier is not allowed on operand of `a"),
    (
        V2 + "p if (a with input as b or c)",
        "3:9",
        "`with` modifier is not allowed on operand of `o",
    ),
    (V2 + "p if { a or b with input as c or d }", "3:31", "unexpected or keyword: expected"),
    (V2 + "p if a or {1, 2} == b", "3:11", "operand of `or` cannot begin with `{`"),
    (V2 + "p if { {1, 2} == b or a }", "3:8", "operand of `or` cannot begin with `{`"),
    (V2 + "p if a or {}", "3:12", "found empty body"),
    (V2 + "p if { {} or a }", "3:8", "found empty body"),
    (V2 + "p if not {1, 2}", "3:10", "`{...}` in an operand position must contain expression(s)"),
    (V2 + "p if not {a | b}", "3:10", "ambiguous `{ ... | ... }` operand"),
    (V2 + 'p if a or print("b")', "3:11", "operand of `or` cannot consist only of calls to `print"),
    (V2 + "p if { some x in a and b }", "3:20", "unexpected and keyword"),
    (V2 + "p if a and some x in b", "3:12", "unexpected some keyword"),
    (V2 + "p if not every x in a { x }", "3:10", "illegal negation of 'every'"),
    (V2 + "p := a or b", "3:1", "expression cannot be used for rule head"),
    (V2 + "a or b", "3:1", "expression cannot be used for rule head"),
    (V2 + "or := 1", "3:1", "or keyword cannot be used for rule name"),
    (V2 + "p := f(a or b)", "3:10", "unexpected or keyword"),
    (V2 + 'p := $"{a or b}"', "3:9", "unexpected 'or' in template-string expression"),
    (V2 + 'p := $"{not a}"', "3:9", "unexpected 'not' in template-string expression"),
    ("package a\np if a or b", "2:8", "var cannot be used for rule name"),
]


@pytest.mark.parametrize(("text", "where", "message"), CASES, ids=range(len(CASES)))
def test_message_and_place(text: str, where: str, message: str) -> None:
    errors = _errors(text)
    first = errors[0]
    assert message in first.message
    assert str(first.location) == f"a.rego:{where}"
    assert first.code == "rego_parse_error"
    assert len(errors) == 1


def test_every_wrong_statement_is_reported() -> None:
    text = PACKAGE + "p := [1 2]\n\nq if {\n\tx y\n}\n\nr[1]\n\ns := 1\n\nt { true }\n"
    found = [(e.location.row, e.message) for e in _errors(text) if e.location]
    assert [row for row, _ in found] == [2, 5, 8, 12]
    assert found[2][1] == "`contains` keyword is required for partial set rules"


def test_an_unclosed_body_does_not_hide_the_next_error() -> None:
    found = _errors(PACKAGE + "p if {\n\tx\n\nq if {\n\ty\n}\n\nr := [1\n")
    assert [e.location.row for e in found if e.location] == [5, 10]


def test_errors_carry_the_source_line_and_a_caret() -> None:
    error = _errors(PACKAGE + "p if { x y }\r\n")[0]
    assert error.source == "p if { x y }"
    assert error.render().splitlines()[1:] == ["  2 | p if { x y }", "    |          ^"]


def test_v0_hints_at_the_import_that_is_missing() -> None:
    text = PACKAGE + "p { some x\n x in [1] }"
    assert "import future.keywords.in" in str(_errors(text, 0)[0].hint)


def test_a_call_of_a_builtin_is_no_rule() -> None:
    text = PACKAGE + "p := input regex.match(a, b)"
    assert parse_module(text).rules
    errors = _errors(text, builtins={"regex.match"})
    assert errors[0].message == "rule name conflicts with built-in function"


def test_hints_at_the_import_of_and() -> None:
    assert "import future.keywords.and" in str(_errors(PACKAGE + "p if { a and b }")[0].hint)


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parse_body, "", "empty query"),
        (parse_body, "x;", "unexpected eof token"),
        (parse_term, "1; 2", "expected exactly one term"),
        (parse_term, "not x", "expected exactly one term"),
        (parse_term, "some x", "expected exactly one term"),
        (parse_ref, "f(x)", "expected a reference"),
        (parse_ref, "1", "expected a reference"),
    ],
)
def test_queries_terms_and_references(parse: object, text: str, message: str) -> None:
    with pytest.raises(RegoErrors, match=message):
        parse(text)  # type: ignore[operator]
