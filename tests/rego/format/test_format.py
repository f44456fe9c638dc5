"""Formatting: the style, the layout that is kept, the comments, the parentheses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adjudge.rego.errors import RegoError
from adjudge.rego.format import format_body, format_module, format_term
from adjudge.rego.parser import parse_body, parse_module, parse_term
from adjudge.rego.syntax import (
    Array,
    Call,
    Comment,
    Expr,
    Head,
    Import,
    Module,
    Object,
    Ref,
    Rule,
    Scalar,
    SetCompr,
    Template,
    Term,
    Var,
)
from adjudge.source import Location


def _formatted(text: str, rego_version: int = 1) -> str:
    """The text formatted, after checking what holds for every text."""
    module = parse_module(text, rego_version=rego_version)
    formatted = format_module(module)
    again = parse_module(formatted, rego_version=rego_version)
    assert _sorted(again) == _sorted(module)
    assert format_module(again) == formatted
    assert len(again.comments) == len(module.comments)
    assert [a.fields for a in again.annotations] == [a.fields for a in module.annotations]
    blocks = [[a.fields for a in rule.annotations] for rule in module.rules]
    assert [[a.fields for a in rule.annotations] for rule in again.rules] == blocks
    return formatted


def _sorted(module: Module) -> Module:
    return replace(module, imports=tuple(sorted(module.imports, key=repr)))


MODULES = {
    "blank lines between rules": (
        "package a\np:=1\n\n\nq if{x;y}\n",
        "package a\n\np := 1\n\nq if {\n\tx\n\ty\n}\n",
    ),
    "rules of one line stay together": (
        "package a\n\np := 1\nq := 2\n\nr := 3\ndefault s := 1\n",
        "package a\n\np := 1\nq := 2\n\nr := 3\n\ndefault s := 1\n",
    ),
    "imports are sorted in their groups": (
        "package a\nimport data.z # z\nimport data.b as c\n\nimport input\n",
        "package a\n\nimport data.b as c\nimport data.z # z\n\nimport input\n",
    ),
    "one expression stays beside its head": (
        "package a\np   if   x\nq if { x }\nr if {\n x\n}\n",
        "package a\n\np if x\nq if x\nr if {\n\tx\n}\n",
    ),
    "a set keeps its braces": (
        "package a\np if { {x} }\n",
        "package a\n\np if {\n\t{x}\n}\n",
    ),
    "a union at the start of a body is no comprehension": (
        "package a\np if {\n(a | b)\nc\n}\nq if {\n(a | b) == c\n}\nr if {\na == b | c\n}\n",
        "package a\n\np if {\n\t(a | b)\n\tc\n}\n\nq if {\n\t(a | b) == c\n}\n\n"
        "r if {\n\ta == b | c\n}\n",
    ),
    "else beside the brace, or on its own line": (
        "package a\np := 1 if {\nx\n} else := 2 if {\ny\n}\nelse := 3\nq := 1 if x else := 2\n",
        "package a\n\np := 1 if {\n\tx\n} else := 2 if {\n\ty\n}\n\nelse := 3\n\n"
        "q := 1 if x\n\nelse := 2\n",
    ),
    "lists are broken where they were": (
        "package a\np := [1, 2,\n3]\nq := {1,\n2}\nr := {\n'a': 1}\ns := f({\n'b': 1})\n"
        "t := f(1,\n2)\nu := f(\n1)\n".replace("'", '"'),
        "package a\n\np := [\n\t1, 2,\n\t3,\n]\n\nq := {\n\t1,\n\t2,\n}\n\nr := {'a': 1}\n\n"
        "s := f({'b': 1})\n\nt := f(\n\t1,\n\t2,\n)\n\nu := f(1)\n".replace(
            "{'a': 1}", "{\n\t'a': 1,\n}"
        )
        .replace("{'b': 1}", "{\n\t'b': 1,\n}")
        .replace("'", '"'),
    ),
    "comprehensions and every": (
        "package a\np := [x |\nx := y; z ]\nq := {x: y | some x, y in z}\n"
        "r if {\nevery x in xs { x; y }\nevery k, v in xs {\nx\n}\n}\n",
        "package a\n\np := [x |\n\tx := y\n\tz\n]\n\nq := {x: y | some x, y in z}\n\n"
        "r if {\n\tevery x in xs { x; y }\n\tevery k, v in xs {\n\t\tx\n\t}\n}\n",
    ),
    "blank lines in bodies are kept, one of each": (
        "package a\np if {\nx\n\n\ny\nz\n}\n",
        "package a\n\np if {\n\tx\n\n\ty\n\tz\n}\n",
    ),
    "with modifiers stay on their lines": (
        "package a\np if {\nx with input as 1 with data.x as 2\ny\n with input as 1\n"
        " with data.x as 2\n}\n",
        "package a\n\np if {\n\tx with input as 1 with data.x as 2\n\ty\n\t\twith input as 1\n"
        "\t\twith data.x as 2\n}\n",
    ),
    "names declared on several lines": (
        "package a\np if {\nsome x,y,\nz\ntrue\n}\n",
        "package a\n\np if {\n\tsome x, y,\n\t\tz\n\ttrue\n}\n",
    ),
    "heads": (
        "package a\np.q[x].r:=1 if x:=1\nf(x,y)=1 if x\ndefault g(_):=1\np.q contains 1\nh(x)\n",
        "package a\n\np.q[x].r := 1 if x := 1\nf(x, y) := 1 if x\n\ndefault g(_) := 1\n\n"
        "p.q contains 1\nh(x)\n",
    ),
    "short references in heads, as OPA writes them": (
        "package a\np.q := 1\np[x] := 2 if x := 1\n",
        'package a\n\np["q"] := 1\np[x] := 2 if x := 1\n',
    ),
    "keywords keep their brackets": (
        'package a\np if input["if"].if\n',
        'package a\n\np if input["if"].if\n',
    ),
    "raw strings, escapes and numbers keep their spelling": (
        'package a\np := [`a\\d`, "\\u0041", 1e3, 1.50]\nq := `\nx\n`\n',
        'package a\n\np := [`a\\d`, "\\u0041", 1e3, 1.50]\nq := `\nx\n`\n',
    ),
    "templates": (
        'package a\np := $"a\\{ {x+1} {y with input as 1}"\nq := $`\n{[x|x:=1]}`\n',
        'package a\n\np := $"a\\{ {x + 1} {y with input as 1}"\nq := $`\n{[x | x := 1]}`\n',
    ),
    "comments above, beside and below": (
        "# top\npackage a # b\n# p\np if { # c\n# d\nx # e\n# f\n\n# g\ny\n# h\n} # i\n# end\n",
        "# top\npackage a # b\n\n# p\np if { # c\n\t# d\n\tx # e\n\n\t# f\n\n\t# g\n\ty\n\t# h\n"
        "} # i\n\n# end\n",
    ),
    "comments in lists": (
        "package a\np := [ # a\n1, # b\n# c\n2 # d\n# e\n]\n",
        "package a\n\np := [ # a\n\t1, # b\n\t# c\n\t2, # d\n\t# e\n]\n",
    ),
    "comments where no line ends": (
        "package a\np := # a\n 1 + # b\n 2 # c\n",
        "package a\n\n# a\n# b\np := 1 + 2 # c\n",
    ),
    "METADATA stays METADATA, and with its rule": (
        "# METADATA\n# title: x\npackage a\n# METADATA\n# title: p\np := 1\n"
        "q :=\n# METADATA\n# title: r\n1\nr := 1\n",
        "# METADATA\n# title: x\npackage a\n\n# METADATA\n# title: p\np := 1\nq := 1\n\n"
        "# METADATA\n# title: r\n\nr := 1\n",
    ),
    "no comment becomes METADATA": (
        "package a\n# METADATA\n# title: x\n # title: y\np := 1\n # METADATA\n # no\n"
        "q := # METADATA\n1\n",
        "package a\n\n# METADATA\n# title: x\n # title: y\np := 1\n\n # METADATA\n# no\n"
        "q := 1 # METADATA\n",
    ),
    "an expression that begins with a sign does not go on the line above": (
        "package a\np if {\nx\n(-1) == y\nnot -1 == y\n}\n",
        "package a\n\np if {\n\tx\n\t(-1) == y\n\tnot -1 == y\n}\n",
    ),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules(name: str) -> None:
    before, after = MODULES[name]
    assert _formatted(before) == after


V0_MODULES = {
    "v0 rules": (
        "package a\np{x}\nq[x]{y}\nr=1{x}else=2{y}\ns:=1{x}\nf(x){x}{y}\n",
        "package a\n\np {\n\tx\n}\n\nq[x] {\n\ty\n}\n\nr = 1 {\n\tx\n} else = 2 {\n\ty\n}\n\n"
        "s := 1 {\n\tx\n}\n\nf(x) {\n\tx\n}\n\nf(x) {\n\ty\n}\n",
    ),
    "v0 rules with keywords": (
        "package a\nimport future.keywords.if\nimport future.keywords.contains\n"
        "p if x\nq contains x if {y}\n",
        "package a\n\nimport future.keywords.contains\nimport future.keywords.if\n\np if x\n"
        "q contains x if y\n",
    ),
}


@pytest.mark.parametrize("name", V0_MODULES)
def test_v0_modules(name: str) -> None:
    before, after = V0_MODULES[name]
    assert _formatted(before, rego_version=0) == after


TERMS = [
    "a + b",
    "a + b + c",
    "a.b[c][1].d",
    'a["b c"]',
    "a[x + 1]",
    "f(x, y)[0]",
    "[1, 2][x]",
    "(a + b)[0]",
    "[a, b + 1]",
    "[(a | b), c]",
    "{(a | b)}",
    "{(a | b): c}",
    "[(a + b) | x]",
    "{x: (a + b) | x}",
    "{a + 1: b}",
    "set()",
    "{}",
    "x in xs",
    "(x in xs) == true",
    "x, y in zs",
    "[(x, y in zs)]",
    "f(x in xs)",
    "0 - x",
    "1 - -1",
    "1 == 2",
    '$"{x}"',
]


@pytest.mark.parametrize("text", TERMS)
def test_terms_are_written_as_they_are_read(text: str) -> None:
    assert format_term(parse_term(text)) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1 + 2 * 3", "1 + 2 * 3"),
        ("(1 + 2) * 3", "(1 + 2) * 3"),
        ("1 + 2 + 3", "1 + 2 + 3"),
        ("1 - (2 - 3)", "1 - (2 - 3)"),
        ("a == 1 + 2 * 3", "a == 1 + (2 * 3)"),
        ("x := 1 + 2 * 3", "x := 1 + (2 * 3)"),
        ("x := a | b", "x := a | b"),
        ("some x in a | b", "some x in (a | b)"),
        ("every x in a | b { x }", "every x in a | b { x }"),
        ("every x in (a in b) { x }", "every x in (a in b) { x }"),
        ("(a == b) in c", "(a == b) in c"),
        ("eq(a, b)", "eq(a, b)"),
        ("plus(a, b, c)", "plus(a, b, c)"),
    ],
)
def test_parentheses(text: str, written: str) -> None:
    body = parse_body(text)
    assert format_body(body) == written
    assert parse_body(written) == body


# -- trees without a source ------------------------------------------------------------


def _generated(*rules: Rule, imports: tuple[Import, ...] = ()) -> str:
    module = Module(("a", "b c"), imports, rules)
    text = format_module(module)
    again = parse_module(text)
    assert replace(again, package_loc=module.package_loc) == module
    return text


def _call(name: str, *args: Term) -> Call:
    return Call(Var(name), args, infix=True)


def test_generated_modules() -> None:
    condition = Expr(_call("equal", Var("x"), Scalar(1)))
    text = _generated(
        Rule(Head(Var("p"), key=Scalar("m")), (condition,)),
        Rule(Head(Var("q"), value=Scalar(1)), (condition, condition)),
        Rule(Head(Var("r")), (condition,), Rule(Head(Var("r"), value=Scalar(2)))),
        imports=(Import(Ref(Var("data"), (Scalar("x"),))),),
    )
    assert text == (
        'package a["b c"]\n\nimport data.x\n\np contains "m" if x == 1\n\n'
        "q := 1 if {\n\tx == 1\n\tx == 1\n}\n\nr if {\n\tx == 1\n} else := 2\n"
    )


def test_generated_lines_are_broken_by_their_length() -> None:
    long = Scalar("x" * 60)
    text = _generated(
        Rule(Head(Var("p"), value=Array((long, long)))),
        Rule(Head(Var("q"), value=Object(((Scalar("a"), long), (Scalar("b"), Array((long,))))))),
        Rule(Head(Var("r"), value=SetCompr(Var("x"), (Expr(long), Expr(long))))),
        Rule(Head(Var("s")), (Expr(_call("equal", long, long)),)),
    )
    x = "x" * 60
    assert text == (
        f'package a["b c"]\n\np := [\n\t"{x}",\n\t"{x}",\n]\n\n'
        f'q := {{\n\t"a": "{x}",\n\t"b": ["{x}"],\n}}\n\n'
        f'r := {{x |\n\t"{x}"\n\t"{x}"\n}}\n\n'
        f's if {{\n\t"{x}" == "{x}"\n}}\n'
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a", '"a"'),
        (r"^\d+$", r"`^\d+$`"),
        ("a`\\b", '"a`\\\\b"'),
        ("a\n\\", '"a\\n\\\\"'),
        ("é\x7f\ufeff", '"é\\u007f\\ufeff"'),
        (-1, "-1"),
        (True, "true"),
        (None, "null"),
    ],
)
def test_generated_scalars(value: str | int | None, written: str) -> None:
    assert format_term(Scalar(value)) == written
    assert parse_term(written) == Scalar(value)


def test_a_raw_template_that_cannot_be_raw() -> None:
    term = Template(("\\", Var("x"), "`"), raw=True)
    assert format_term(term) == '$"\\\\{x}`"'
    assert parse_term(format_term(term)) == term


def test_an_equation_within_a_term_is_written_as_a_call() -> None:
    assert format_term(Array((_call("eq", Var("x"), Scalar(1)),))) == "[eq(x, 1)]"


def test_a_source_that_is_not_the_modules_is_ignored() -> None:
    loc = Location("a.yaml", 1, 1)
    rules = (
        Rule(Head(Var("p"), value=Array((Scalar(1, Location("", 9, 1)), Scalar(2)))), loc=loc),
    )
    module = Module(("a",), (), rules, source="package: a\nrules: []\n", package_loc=loc)
    assert format_module(module) == "package a\n\np := [1, 2]\n"


def test_comments_of_generated_modules_come_last() -> None:
    module = Module(("a",), (), (Rule(Head(Var("p"), value=Scalar(1))),), comments=(Comment(" c"),))
    assert format_module(module) == "package a\n\np := 1\n\n# c\n"


def test_trees_too_deep_to_walk_are_refused() -> None:
    term: Term = Scalar(1)
    for _ in range(5000):
        term = Array((term,))
    module = Module(("a",), (), (Rule(Head(Var("p"), value=term)),))
    with pytest.raises(RegoError, match="nested too deeply"):
        format_module(module)
    with pytest.raises(RegoError, match="nested too deeply"):
        format_term(term)
    with pytest.raises(RegoError, match="nested too deeply"):
        format_body((Expr(term),))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("p := 1 if true", "p := 1"),
        ("p if { true }", "p := true"),
        ("p contains 1 if { true }", "p contains 1"),
        ("p := true if input.x", "p if input.x"),
        ("p.q.r := true if input.x", "p.q.r if input.x"),
        ("f(x) := true if x", "f(x) if x"),
        # A key that varies makes an object, and one is not true.
        ("p[x] := true if x := 1", "p[x] := true if x := 1"),
        ("p := 1 if input.x", "p := 1 if input.x"),
        ("p := 2 if 1", "p := 2 if 1"),
        ("p := 1 if not true", "p := 1 if not true"),
        ("p := 1 if true with input as 2", "p := 1 if true with input as 2"),
        # Without its condition the else would hang in the air.
        ("p := 1 if {\n\ttrue\n} else := 2", "p := 1 if {\n\ttrue\n} else := 2"),
        ("default p := true", "default p := true"),
    ],
)
def test_what_goes_without_saying_is_left_out(text: str, written: str) -> None:
    assert format_module(parse_module(f"package a\n\n{text}\n")) == f"package a\n\n{written}\n"


def test_rego_v0_says_true_with_an_equals_sign() -> None:
    text = "package a\n\np { true }\n\nq = true { input.x }\n\nr[1] { true }\n"
    written = "package a\n\np = true\n\nq {\n\tinput.x\n}\n\nr[1]\n"
    assert format_module(parse_module(text, "", 0)) == written


@pytest.mark.parametrize("package", ['a["if"].b', "a.if.b", 'a["b-c"]', 'a.b["not"]["x y"].true'])
def test_packages_keep_their_brackets(package: str) -> None:
    text = f"package {package}\n\np := 1\n"
    assert format_module(parse_module(text)) == text


def test_imports_that_others_cover_are_left_out() -> None:
    first = "package a\n\nimport future.keywords.if\nimport future.keywords.not\nimport rego.v1\n"
    kept = "package a\n\nimport future.keywords.not\nimport rego.v1\n"
    assert format_module(parse_module(f"{first}\np := 1\n")) == f"{kept}\np := 1\n"
