"""METADATA blocks: what they mean, where they belong, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from adjudge.errors import AdjudgeError
from adjudge.rego.errors import RegoErrors
from adjudge.rego.parser import parse_module


def _block(*lines: str) -> str:
    return "\n".join(["# METADATA", *(f"# {line}" for line in lines)]) + "\n"


def _package_fields(*lines: str) -> dict[str, Any]:
    (annotation,) = parse_module(_block(*lines) + "package a\n").annotations
    return annotation.fields


def _error(text: str) -> AdjudgeError:
    with pytest.raises(RegoErrors) as caught:
        parse_module(text)
    (error,) = caught.value.errors
    return error


def test_fields_have_the_form_of_the_metadata_builtins() -> None:
    fields = _package_fields(
        "title: Release gate",
        "description: |",
        "  Two",
        "  lines",
        "organizations: [Acme, 7]",
        "authors: [Ann Lee <ann@x.org>, {name: Bo}, <only@x.org>]",
        "related_resources: ['https://x.org', {ref: y, description: why}]",
        "schemas:",
        "- input: schema.release",
        "- data.x: {type: string}",
        "custom: {id: R1, controls: [a, b]}",
        "labels: {team: ml}",
        "unheard_of: 1",
    )
    assert fields == {
        "scope": "package",
        "title": "Release gate",
        "description": "Two\nlines\n",
        "organizations": ["Acme", "7"],
        "authors": [
            {"name": "Ann Lee", "email": "ann@x.org"},
            {"name": "Bo"},
            {"email": "only@x.org"},
        ],
        "related_resources": [{"ref": "https://x.org"}, {"ref": "y", "description": "why"}],
        "schemas": [
            {"path": ["input"], "schema": ["schema", "release"]},
            {"path": ["data", "x"], "definition": {"type": "string"}},
        ],
        "custom": {"id": "R1", "controls": ["a", "b"]},
        "labels": {"team": "ml"},
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("true", True),
        ("~", None),
        ("010", 8),
        ("0x1F", 31),
        ("-0b11", -3),
        ("0o17", 15),
        ("1_000", 1000),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("1.2.3", "1.2.3"),
        ("-", [None]),
        ("2026-01-01", "2026-01-01T00:00:00Z"),
        ("2026-1-2T3:4:5.50+02:00", "2026-01-02T03:04:05.5+02:00"),
        ("2026-01-01 10:00:00", "2026-01-01T10:00:00Z"),
        ("2026-13-01", "2026-13-01"),
        ("[&a [1], *a]", [[1], [1]]),
    ],
)
def test_scalars_follow_yaml_as_go_reads_it(text: str, value: Any) -> None:
    if text == "-":
        assert _package_fields("custom:", "  a:", "  -")["custom"] == {"a": value}
    else:
        assert _package_fields(f"custom: {{a: {text}}}")["custom"] == {"a": value}


RULE = "p := 1\n"


@pytest.mark.parametrize(
    ("text", "scopes", "attached"),
    [
        ("package a\n" + _block("title: x") + RULE, ["rule"], [["x"]]),
        ("package a\n" + _block("title: x", "entrypoint: true") + RULE, ["document"], [["x"]]),
        ("package a\n" + _block("title: x", "entrypoint: yes") + RULE, ["document"], [["x"]]),
        (_block("title: x") + "package a\n" + RULE, ["package"], [[]]),
        (_block("title: x", "scope: subpackages") + "package a\n", ["subpackages"], []),
        # a document's annotation is every rule's; a rule's is that rule's
        (
            "package a\n"
            + _block("title: d", "scope: document")
            + RULE
            + _block("title: r")
            + RULE,
            ["document", "rule"],
            [["d"], ["d", "r"]],
        ),
        ("package a\n" + _block("title: x") + "\n\n" + RULE + RULE, ["rule"], [["x"], []]),
        ("package a\n" + _block("title: x") + RULE + "q := 2\n", ["rule"], [["x"], []]),
        # two blocks above one rule: it takes the nearer, the next rule the other
        (
            "package a\n" + _block("title: x") + "\n" + _block("title: y") + RULE + RULE + RULE,
            ["rule", "rule"],
            [["x", "y"], ["x"], []],
        ),
        (
            "package a\n"
            + _block("title: x")
            + "q.r[z] := 1 if z := 1\nq.s := 1\nq.r[z] := 2 if z := 2\n",
            ["rule"],
            [["x"], [], []],
        ),
        # comments that are no blocks
        ("package a\n #METADATA\n# title: x\n" + RULE, [], [[]]),
        ("package a\n# METADAT\n# title: x\n" + RULE, [], [[]]),
        ("package a\n#METADATA\n#title: x\n\n# title: y\n" + RULE, ["rule"], [["x"]]),
        ("package a\n# METADATA\r\n# title: x\r\n" + RULE, ["rule"], [["x"]]),
    ],
)
def test_scope_and_attachment(text: str, scopes: list[str], attached: list[list[str]]) -> None:
    module = parse_module(text)
    assert [annotation.scope for annotation in module.annotations] == scopes
    assert [annotation.fields["scope"] for annotation in module.annotations] == scopes
    titles = [[a.fields["title"] for a in rule.annotations] for rule in module.rules]
    assert titles == attached


def test_a_block_knows_its_rows() -> None:
    (annotation,) = parse_module(
        "package a\n\n" + _block("title: x", "description: y") + RULE
    ).annotations
    assert (annotation.loc.row, annotation.end_row) == (3, 5)


ERRORS = [
    (_block() + "package a\n", 1, "expected METADATA block, found whitespace"),
    (_block("text") + "package a\n", 2, "yaml: line 1: expected a mapping of fields"),
    (_block("a: b", "c: [") + "package a\n", 3, "yaml: line "),
    (_block("a: b", "a: c") + "package a\n", 3, 'mapping key "a" already defined'),
    (_block("custom: {1: 2}") + "package a\n", 2, "keys must be strings"),
    (_block("custom: {<<: 2}") + "package a\n", 2, "merge keys are not supported"),
    (_block("custom: {a: !x y}") + "package a\n", 2, "unknown tag !x"),
    (_block("custom: {a: !x [y]}") + "package a\n", 2, "unknown tag !x"),
    (_block("custom: {a: *x}") + "package a\n", 2, "alias"),
    (_block("custom: {a: &x [*x]}") + "package a\n", 2, "unknown alias x"),
    (_block("custom: {a: .inf}") + "package a\n", 2, ".inf is not a number"),
    (_block("custom: {a: 1e999}") + "package a\n", 2, "number too big"),
    (_block("custom: [1]") + "package a\n", 1, "`custom` must be a mapping"),
    (_block("title: [1]") + "package a\n", 1, "`title` must be text"),
    (_block("authors: x") + "package a\n", 1, "`authors` must be a list"),
    (_block("authors: ['']") + "package a\n", 1, "author is an empty string"),
    (_block("authors: [1]") + "package a\n", 1, "must be string or map"),
    (_block("authors: [{}]") + "package a\n", 1, "'name' and/or 'email' values required"),
    (_block("related_resources: [{}]") + "package a\n", 1, "'ref' value required in object"),
    (_block("related_resources: ['']") + "package a\n", 1, "ref URL may not be empty string"),
    (_block("related_resources: [1]") + "package a\n", 1, "must be string or map"),
    (_block("schemas: [x: schema.y]") + "package a\n", 1, "invalid document reference"),
    (_block("schemas: ['1 +': schema.y]") + "package a\n", 1, "invalid document reference"),
    (_block("schemas: [input: y.z]") + "package a\n", 1, "invalid schema reference"),
    (_block("schemas: [input: 1]") + "package a\n", 1, "invalid schema declaration"),
    (_block("schemas: [x]") + "package a\n", 1, "`schemas` must be a list of mappings"),
    (_block("entrypoint: maybe") + "package a\n", 1, "`entrypoint` must be true or false"),
    (_block("entrypoint: 1") + "package a\n", 1, "`entrypoint` must be true or false"),
    ("package a\n" + _block("title: x"), 2, "invalid annotation scope ''"),
    (
        "package a\n" + _block("title: x") + "import data.b\n",
        2,
        "invalid annotation scope 'import'",
    ),
    ("package a\n" + _block("scope: all") + RULE, 2, "invalid annotation scope 'all'. Use one of"),
    ("package a\n" + _block("scope: package") + RULE, 2, "must be applied to package (have rule)"),
    (_block("scope: rule") + "package a\n" + RULE, 1, "must be applied to rule (have package)"),
    ("package a\n" + _block("scope: rule", "entrypoint: true") + RULE, 2, "annotation entrypoint"),
]


@pytest.mark.parametrize(("text", "row", "message"), ERRORS, ids=range(len(ERRORS)))
def test_errors(text: str, row: int, message: str) -> None:
    error = _error(text)
    assert message in error.message
    assert error.code == "rego_parse_error"
    assert error.location is not None
    assert error.location.row == row


def test_a_space_that_is_none_for_yaml_is_hinted_at() -> None:
    error = _error(_block("title:\u00a0x") + "package a\n")
    assert "'\\xa0' after `:`" in str(error.hint)


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("custom: {a: " + "[" * 60 + "]" * 60 + "}", "nested too deeply"),
        ("custom: {a: " + "[" * 3000, "nested too deeply"),
        ("custom: {a: [" + "1," * 20000 + "]}", "too many values"),
        ("custom: {a: '" + "x" * 70000 + "'}", "longer than"),
    ],
)
def test_hostile_yaml_is_bounded(yaml: str, message: str) -> None:
    assert message in _error(_block(yaml) + "package a\n").message


def test_aliases_count_as_often_as_they_are_used() -> None:
    lines = ["custom:", "  l0: &l0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"  l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 9)]
    assert "too many values" in _error(_block(*lines) + "package a\n").message


def test_blocks_above_one_rule_are_bounded() -> None:
    text = "package a\n" + (_block("title: x") + "\n") * 101 + RULE * 3
    assert "more than 100 METADATA blocks" in _error(text.rstrip().rsplit("\n", 2)[0]).message


def test_bad_blocks_are_all_reported_up_to_a_bound() -> None:
    with pytest.raises(RegoErrors) as caught:
        parse_module("package a\n" + (_block("title: [") + "\n") * 50 + RULE)
    assert len(caught.value.errors) == 20
