"""The small parts: paths, templates, times, version ranges, shapes, the published schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.yamlpolicy.support import CARD, SCHEMAS

from adjudge import documents
from adjudge.source import Location
from adjudge.yamlpolicy import as_rego, compile_policy, policy_schema
from adjudge.yamlpolicy.moments import Bound, is_timestamp, moment, version_range
from adjudge.yamlpolicy.paths import split_path
from adjudge.yamlpolicy.scope import group_of, kinds, scope_for
from adjudge.yamlpolicy.shapes import ANY, Shape
from adjudge.yamlpolicy.structure import FORMS, operators
from adjudge.yamlpolicy.templates import Slot, split_template

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"
HERE = Location("p.yaml", 1, 1)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a", ["a"]),
        ("a.b_c.d-e", ["a", "b_c", "d-e"]),
        ("a[0].b[12]", ["a", 0, "b", 12]),
        ("a[\"x.y\"]['z']", ["a", "x.y", "z"]),
        ("a.$ref.@id", ["a", "$ref", "@id"]),
        ("", None),
        (".a", None),
        ("a.", None),
        ("a..b", None),
        ("a b", None),
        ("a[-1]", None),
        ("a[01]", None),
        ("a[x]", None),
        ('a["x\\n"]', None),
        ("a.1", None),
        ("a\n", None),
        ("[0]", None),
        ("a" * 401, None),
    ],
)
def test_paths(text: str, steps: list[Any] | None) -> None:
    found = split_path(text)
    assert (None if found is None else [s.value for s in found]) == steps


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("plain", ["plain"]),
        ("{a}", [Slot("a")]),
        ("x { a.b } y", ["x ", Slot("a.b"), " y"]),
        ("{{a}}", ["{a}"]),
        ("{{{a}}}", ["{", Slot("a"), "}"]),
        ("{a}{b}", [Slot("a"), Slot("b")]),
        ("{", None),
        ("}", None),
        ("{a", None),
        ("a}", None),
        ("{a{b}}", None),
    ],
)
def test_templates(text: str, parts: list[Any] | None) -> None:
    assert split_template(text) == parts


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2026-01-31", True),
        ("2024-02-29", True),
        ("2026-02-29", False),
        ("2026-01-31T00:00:00Z", True),
        ("2026-01-31T00:00:00.123456789+05:30", True),
        ("2026-01-31T00:00:00", False),
        ("2026-01-31 00:00:00Z", False),
        ("2026-01-31T24:00:00Z", False),
        ("1699-12-31", False),
        ("2200-01-01", False),
        ("20260131", False),
        ("now", False),
        ("٢٠٢٦-01-31", False),
    ],
)
def test_timestamps(text: str, good: bool) -> None:
    assert is_timestamp(text) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("now", True),
        ("now-1h", True),
        ("now + 100y", True),
        ("now + 101y", False),
        ("now - d", False),
        ("now 3d", False),
        ("now - 3m", False),
        ("Now", False),
    ],
)
def test_moments(text: str, good: bool) -> None:
    assert (moment(text, HERE) is not None) is good


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("1.2.3", [Bound("==", "1.2.3")]),
        (">=1.2.0 <2", [Bound(">=", "1.2.0"), Bound("<", "2.0.0")]),
        (">= 1, != 1.5", [Bound(">=", "1.0.0"), Bound("!=", "1.5.0")]),
        ("<=1.0.0-rc.1+build.5", [Bound("<=", "1.0.0-rc.1+build.5")]),
        ("", None),
        ("^1.2", None),
        ("~1", None),
        ("1.x", None),
        ("01.2.3", None),
        ("1.2.3.4", None),
        (">1||<2", None),
        (">", None),
        ("1.2-rc", None),
    ],
)
def test_version_ranges(text: str, bounds: list[Bound] | None) -> None:
    assert version_range(text) == bounds


def test_shapes_read_what_decides_whether_a_path_exists() -> None:
    shape = Shape.of(CARD)
    assert shape.only("object")
    assert shape.field("titel") is None
    assert shape.requires("title")
    assert not shape.requires("purpose")
    described = shape.field("described")
    assert described is not None
    assert described.types == {"object", "null"}
    parts = described.field("parts")
    assert parts is not None
    element = parts.items()
    assert element is not None
    assert element.names() == ["hashes", "name", "parts", "scope", "size", "version"]
    tier = shape.field("tier")
    assert tier is not None
    assert (tier.choices(), tier.nullable) == (["low", "high"], True)
    labels = shape.field("labels")
    assert labels is not None
    assert labels.field("anything") is not None


@pytest.mark.parametrize(
    ("schema", "types", "fields"),
    [
        ({"properties": {"a": {}}}, {"object"}, {"a": True, "b": False}),
        ({"type": "object"}, {"object"}, {"a": True}),
        ({"properties": {"a": {}}, "additionalProperties": True}, {"object"}, {"b": True}),
        ({"const": 3}, {"number"}, {"a": False}),
        (
            {"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]},
            {"object"},
            {"b": True},
        ),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"type": "integer"}}}, {"number"}, {}),
        ({"$ref": "#"}, set(), {}),
        ({"anyOf": [{"$ref": "#"}, {"type": "string"}]}, {"string"}, {}),
        ({"$ref": "#/nowhere"}, ANY.types, {"a": True}),
    ],
)
def test_shapes_of_odd_schemas(schema: Any, types: set[str], fields: dict[str, bool]) -> None:
    shape = Shape.of(schema)
    assert shape.types == types
    assert {name: shape.field(name) is not None for name in fields} == fields


def test_the_scope_of_a_release_groups_artifacts_by_kind() -> None:
    scope = scope_for("release", SCHEMAS)
    assert scope is not None
    assert {"cards", "weights", "sboms", "artifacts", "git"} <= set(scope.roots)
    assert (group_of("model_card"), group_of("weights")) == ("model_cards", "weights")
    assert kinds({**SCHEMAS, "release": {}, "git": {}, "context": {}}) == ["card", "weights"]
    assert scope_for("git", {"git": {}}) is None


def test_what_is_known_about_the_release_can_be_given() -> None:
    strict = {"type": "object", "properties": {"stage": {"enum": ["dev", "prod"]}}}
    text = json.dumps(
        {
            "apiVersion": "adjudge/v1",
            "kind": "Policy",
            "metadata": {"id": "R", "title": "r"},
            "deny": [{"message": "m", "when": {"path": "release.stage", "not_equals": "prod"}}],
        }
    )
    compile_policy(text, "p.yaml", {"release": strict})
    with pytest.raises(Exception, match="prod"):
        compile_policy(
            text, "p.yaml", {"release": {**strict, "properties": {"stage": {"const": 1}}}}
        )


def test_the_published_schema_is_a_schema_and_is_the_one_in_the_documentation() -> None:
    Draft202012Validator.check_schema(policy_schema())
    assert json.loads((DOCS / "yaml-policy.schema.json").read_text("utf-8")) == policy_schema()


def test_the_published_schema_takes_what_compiles() -> None:
    validator = Draft202012Validator(policy_schema())
    table = Path(__file__).with_name("data") / "semantics.json"
    entry = {"message": "m"}
    for rows in json.loads(table.read_text("utf-8")).values():
        for row in rows:
            policy = {
                "apiVersion": "adjudge/v1",
                "kind": "Policy",
                "metadata": {"id": "T", "title": "t"},
                "warn": [{**entry, "when": row["when"]}],
            }
            validator.validate(policy)


# -- the kinds and the documentation ----------------------------------------------------------

FACTS = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted((Path(documents.__file__).parent / "schemas").glob("*.json"))
}


@pytest.mark.parametrize("kind", FACTS)
def test_every_fact_of_every_kind_can_be_used(kind: str) -> None:
    for name in FACTS[kind].get("properties", {}):
        condition = {"path": f"facts.{name}", "is": "empty"}
        policy = {
            "apiVersion": "adjudge/v1",
            "kind": "Policy",
            "metadata": {"id": "T", "title": "t"},
            "applies_to": kind,
            "deny": [{"message": f"{{facts.{name}}}", "when": condition}],
        }
        assert compile_policy(json.dumps(policy), "p.yaml", FACTS).warnings == ()


def blocks(language: str) -> list[str]:
    """The code blocks of the reference page."""
    page = (DOCS / "yaml-policies.md").read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_documentation_compile() -> None:
    examples = blocks("yaml")
    assert len(examples) >= 3
    for text in examples:
        assert compile_policy(text, "example.yaml", FACTS).warnings == ()


def test_the_documentation_shows_the_rego_of_its_first_example() -> None:
    policy = compile_policy(blocks("yaml")[0], "example.yaml", FACTS)
    assert blocks("rego") == [as_rego(policy.module)]


def test_the_documentation_names_every_operator_and_code() -> None:
    page = (DOCS / "yaml-policies.md").read_text("utf-8")
    for name in (*operators(), *FORMS):
        assert f"`{name}" in page, name
    sources = Path(compile_policy.__code__.co_filename).parent.glob("*.py")
    text = "\n".join(p.read_text("utf-8") for p in sources)
    codes = set(re.findall(r'(?:\.add(?:_at_key)?|\.warn)\(\s*"([a-z_]+)"', text))
    assert {"unknown_path", "regex", "missing_not_noticed"} <= codes
    for code in codes:
        assert f"`yaml_policy_{code}`" in page, code
