"""Every mistake has a code, the line and column it was made on, and words that help."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.yamlpolicy.support import SCHEMAS, compiled, policy, refused

from adjudge.errors import AdjudgeError, ErrorList, InputError
from adjudge.rego import RegoErrors
from adjudge.yamlpolicy import compile_policy

HEAD = """\
apiVersion: adjudge/v1
kind: Policy
metadata: {id: T-1, title: test}
applies_to: card
deny:
  - message: found
    when:
"""


def when(*lines: str) -> str:
    """A policy whose condition starts on line 8, column 7."""
    return HEAD + "".join(f"      {line}\n" for line in lines)


def rows(name: str) -> list[Any]:
    """The rows of a table in ``data/errors.json``, each under its id."""
    text = Path(__file__).with_name("data").joinpath("errors.json").read_text("utf-8")
    return [pytest.param(row, id=row["id"]) for row in json.loads(text)[name]]


def check(errors: ErrorList, row: dict[str, Any]) -> None:
    """There is one error, the one ``row`` describes; a column of 0 is any."""
    assert [e.code for e in errors.errors] == [f"yaml_policy_{row['code']}"], errors
    (error,) = errors.errors
    assert error.location is not None
    assert (error.location.file, error.location.row) == ("p.yaml", row["row"])
    assert row.get("col", 0) in (0, error.location.col)
    assert row["message"] in error.message
    assert row["hint"] in (error.hint or "")
    assert "^" in error.render()


@pytest.mark.parametrize("row", rows("conditions"))
def test_a_wrong_condition_is_refused_where_it_stands(row: dict[str, Any]) -> None:
    check(refused(when(*row["when"])), row)


@pytest.mark.parametrize("row", rows("policies"))
def test_a_wrong_policy_is_refused_where_it_is_wrong(row: dict[str, Any]) -> None:
    check(refused("\n".join(row["policy"]) + "\n"), row)


def test_all_errors_are_reported_at_once() -> None:
    text = """\
apiVersion: adjudge/v1
kind: Policy
metadata: {id: T-1, title: test, severty: high}
applies_to: card
deny:
  - message: "{facts.titel}"
    when: {path: facts.tags, gt: 3}
  - mesage: x
    when: {path: facts.nothing, is: missing}
  - message: x
    when:
      all:
        - {path: facts.tier, equals: huge}
        - {path: facts.title, matches: "("}
        - {path: facts.title, eqals: a}
        - {rego: "input.facts.("}
warn:
  - message: y
    when: {path: facts.title}
"""
    found = [(e.location.row, e.code) for e in refused(text).errors if e.location]
    assert found == [
        (3, "yaml_policy_unknown_key"),
        (6, "yaml_policy_unknown_path"),
        (7, "yaml_policy_operand"),
        (8, "yaml_policy_missing_key"),
        (8, "yaml_policy_unknown_key"),
        (13, "yaml_policy_operand"),
        (14, "yaml_policy_regex"),
        (15, "yaml_policy_unknown_key"),
        (16, "yaml_policy_rego"),
        (19, "yaml_policy_condition"),
    ]


def test_an_open_object_takes_an_unlike_name_and_a_quoted_one() -> None:
    compiled(when("{path: release.business_unit, is: missing}"))
    compiled(when("{path: 'release[\"owners\"]', is: missing}"))


YAML_ERRORS = [
    ("a: &x 1\n", "yaml_alias"),
    ("a: !!python/object/apply:os.system [x]\n", "yaml_tag"),
    ("a: 1\na: 2\n", "yaml_duplicate_key"),
    ("a: [1\n", "yaml_syntax"),
    ("---\na: 1\n---\nb: 1\n", "yaml_multiple_documents"),
    ("a: " + "[" * 60 + "]" * 60 + "\n", "yaml_too_deep"),
    ("a: [" + "1," * 60_000 + "1]\n", "yaml_too_large"),
    ("a: " + "x" * 2_000_000 + "\n", "yaml_too_large"),
    ("a: .inf\n", "yaml_number"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), YAML_ERRORS, ids=[f"{c[1]}" for c in YAML_ERRORS])
def test_what_is_not_strict_yaml_is_refused_by_the_reader(text: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        compile_policy(text, "p.yaml", {})
    assert caught.value.code == code
    assert caught.value.location is not None


VALUES: list[Any] = [
    None,
    True,
    0,
    -1.5,
    "",
    "x",
    "{",
    "\u0000",
    [],
    [[]],
    {},
    {"path": "x"},
    {"path": 1},
]


def test_any_value_at_any_place_ends_in_a_clean_error_or_a_policy() -> None:
    loop: Any = {
        "path": "facts.components",
        "as": "c",
        "index": "i",
        "when": {"path": "c.name", "equals": "x"},
    }
    condition = {
        "all": [
            {"for_each": loop},
            {
                "any": [
                    {"path": "facts.tags", "count": {"gte": 1}},
                    {"path": "facts.title", "in": ["a"]},
                ]
            },
            {"none": [{"path": "facts.score", "gt": {"data": "a.b"}}]},
            {"not": {"rego": "input.facts.open"}},
        ]
    }
    text = policy(condition, pointer="/facts/{i}", details={"a": {"path": "c.name"}, "b": ["x"]})
    whole = json.loads(text)
    compile_policy(text, "p.yaml", SCHEMAS)
    outcomes = set()
    for place in _places(whole):
        for value in VALUES:
            changed = json.loads(text)
            _replace(changed, place, value)
            try:
                compile_policy(json.dumps(changed), "p.yaml", SCHEMAS)
                outcomes.add("compiled")
            except AdjudgeError as error:
                outcomes.add(error.code if error.location else "nowhere")
    assert "nowhere" not in outcomes
    assert {
        "compiled",
        "yaml_policy_type",
        "yaml_policy_value",
        "yaml_policy_unknown_key",
    } <= outcomes


def _places(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    return [at, *(p for k, v in children for p in _places(v, (*at, k)))]


def _replace(node: Any, place: tuple[Any, ...], value: Any) -> None:
    if not place:
        return
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value


def test_errors_of_a_hostile_file_are_bounded() -> None:
    entries = "".join("  - {mesage: x}\n" for _ in range(400))
    text = HEAD.partition("  - ")[0] + entries
    assert len(refused(text).errors) == 200


def test_deep_conditions_compile_or_are_refused() -> None:
    inner = "{path: facts.note, is: missing}"
    compiled(when("{not: " * 15 + inner + "}" * 15))
    loops = "".join(f"{{for_each: {{path: facts.tags, as: t{i}, when: " for i in range(12))
    compiled(when(loops + inner + "}}" * 12))
    with pytest.raises(InputError):
        compile_policy(when("{not: " * 45 + inner + "}" * 45), "p.yaml", {})


def test_an_error_shows_the_line_with_a_caret() -> None:
    error = refused(when("path: facts.titel", "is: missing"))
    assert error.render() == (
        "p.yaml:8:13: yaml_policy_unknown_path: "
        "facts has no field 'titel' in a policy for card\n"
        "  8 |       path: facts.titel\n"
        "    |             ^\n"
        "  hint: did you mean title?"
    )


def test_the_schemas_of_the_kinds_are_needed_for_a_kind() -> None:
    with pytest.raises(RegoErrors) as caught:
        compile_policy(when("{path: facts.note, is: missing}"), "p.yaml", {})
    assert caught.value.code == "yaml_policy_kind"
