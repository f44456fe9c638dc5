"""Changes to inputs, and the texts that are made up for patterns."""

from __future__ import annotations

import re
from typing import Any

import pytest

from adjudge.explanation.candidates import Pool, candidates
from adjudge.explanation.changes import Change, applied
from adjudge.explanation.model import Ground
from adjudge.explanation.samples import sample
from adjudge.rego.evidence import Read
from adjudge.rego.runtime.values import UNDEFINED
from adjudge.yamlpolicy.shapes import Shape


def test_what_is_not_changed_is_shared() -> None:
    before: dict[str, Any] = {"a": {"b": 1}, "c": [1, {"d": 2}], "e": {"f": 3}}
    after = applied(
        before,
        [
            Change("replace", ("a", "b"), 1, 2),
            Change("remove", ("c", 0), 1),
            Change("add", ("g",), None, {"h": 4}),
            Change("add", ("c", 0), None, 9),
        ],
    )
    assert after == {"a": {"b": 2}, "c": [9, {"d": 2}], "e": {"f": 3}, "g": {"h": 4}}
    assert before == {"a": {"b": 1}, "c": [1, {"d": 2}], "e": {"f": 3}}
    assert after["e"] is before["e"]


def test_an_artifact_is_changed_wherever_it_is_listed() -> None:
    card = {"facts": {"name": "x"}}
    before = {"artifacts": [{"other": 1}, card], "model_cards": [card], "sboms": []}
    after = applied(before, [Change("replace", ("artifacts", 1, "facts", "name"), "x", "y")])
    assert after["artifacts"][1]["facts"]["name"] == "y"
    assert after["model_cards"][0] is after["artifacts"][1]
    assert card["facts"]["name"] == "x"


def test_pointers_are_escaped() -> None:
    change = Change("replace", ("a/b", "c~d", 0), 1, 2)
    assert change.to_json() == {"op": "replace", "path": "/a~1b/c~0d/0", "value": 2}


SHAPE = Shape.of(
    {
        "type": "object",
        "properties": {
            "level": {"type": "string", "enum": ["low", "high"]},
            "size": {"type": "integer"},
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "n": {"type": "number"}},
                    "required": ["name"],
                },
            },
        },
        "required": ["level", "items"],
    }
)


def of(path: tuple[Any, ...], value: Any, input_: Any) -> list[Change]:
    pool = Pool()
    pool.add(["low", "huge", 3, {"key": "value"}])
    ground = Ground(input_, lambda path: ("", None), shape=SHAPE)
    return candidates([Read("input", path, value)], pool, ground)


def test_values_keep_to_the_schema() -> None:
    assert {c.new for c in of(("level",), "high", {"level": "high"})} == {"low"}
    assert all(isinstance(c.new, int) for c in of(("size",), UNDEFINED, {}) if c.op == "add")
    found = [c.new for c in of(("items",), [], {"items": []}) if c.op == "replace"]
    assert [{"name": "text"}] in found
    # What must be there is not taken away.
    assert not [c for c in of(("level",), "high", {"level": "high"}) if c.op == "remove"]


def test_small_changes_come_first() -> None:
    costs = [c.cost for c in of(("size",), 10, {"size": 10})]
    assert costs == sorted(costs)
    first = of(("size",), 10, {"size": 10})[0]
    assert (first.op, first.new) == ("replace", 4)


@pytest.mark.parametrize(
    "pattern",
    [
        "^v[0-9]+$",
        "(?i)todo|fixme",
        "a{3}b+",
        r"\d{4}-\d{2}",
        "[^a]x",
        "(foo|bar)baz",
        ".+@.+",
        "x*y",
    ],
)
def test_a_pattern_gets_a_text(pattern: str) -> None:
    text = sample(pattern)
    assert text is not None
    assert re.search(pattern, text)


@pytest.mark.parametrize(
    "pattern", ["plain", "", "(", "a{100000}", "(?P<n>a)(?P=n)", "x" * 500, "[z-a]"]
)
def test_what_is_no_pattern_gets_none(pattern: str) -> None:
    assert sample(pattern) is None
