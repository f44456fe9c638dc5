"""The smallest change that flips a rule: every kind of condition, both ways."""

from __future__ import annotations

from typing import Any

import pytest
from tests.explanation.conftest import Explain

from adjudge.explanation import Bounds

Case = tuple[str, Any, list[tuple[str, str, Any]]]

CASES: dict[str, Case] = {
    "equality": (
        'deny contains "a" if input.kind == "bad"',
        {"kind": "good"},
        [("replace", "/kind", "bad")],
    ),
    "inequality": (
        'deny contains "a" if input.kind != "good"',
        {"kind": "bad"},
        [("replace", "/kind", "good")],
    ),
    "absence": ('deny contains "a" if not input.owner', {}, [("add", "/owner", True)]),
    "presence": (
        'deny contains "a" if input.debug',
        {"debug": True},
        [("replace", "/debug", False)],
    ),
    "threshold above": (
        'deny contains "a" if input.size > 10',
        {"size": 30},
        [("replace", "/size", 10)],
    ),
    "threshold below": (
        'deny contains "a" if input.size >= 10',
        {"size": 3},
        [("replace", "/size", 10)],
    ),
    "a set": (
        'deny contains "a" if not input.licence in {"mit", "isc"}',
        {"licence": "gpl"},
        [("replace", "/licence", "mit")],
    ),
    "a prefix": (
        'deny contains "a" if not startswith(input.image, "registry.local/")',
        {"image": "x"},
        [("replace", "/image", "registry.local/x")],
    ),
    "a pattern": (
        'deny contains "a" if not regex.match(`^v[0-9]+\\.[0-9]+$`, input.tag)',
        {"tag": "latest"},
        [("replace", "/tag", "v0.0")],
    ),
    "a length": (
        'deny contains "a" if count(input.name) < 5',
        {"name": "abc"},
        [("replace", "/name", "abc t")],
    ),
    "a list": (
        'deny contains "a" if count(input.tags) == 0',
        {"tags": []},
        [("replace", "/tags", ["text"])],
    ),
    "an element": (
        'deny contains t if {\n\tsome t in input.tags\n\tt == "bad"\n}',
        {"tags": ["good", "bad"]},
        [("replace", "/tags/1", "good")],
    ),
    "two conditions": (
        'deny contains "a" if {\n\tinput.a == "x"\n\tinput.b == "y"\n}',
        {"a": "1", "b": "2"},
        [("replace", "/a", "x"), ("replace", "/b", "y")],
    ),
    "three conditions": (
        'deny contains "a" if {\n\tinput.a == 1\n\tinput.b\n\tinput.c > 7\n}',
        {"a": 2, "b": False, "c": 1},
        [("replace", "/a", 1), ("replace", "/b", True), ("replace", "/c", 8)],
    ),
    "two rules": (
        'deny contains "a" if input.a != "x"\n\ndeny contains "b" if not input.b',
        {"a": "y"},
        [("replace", "/a", "x"), ("add", "/b", True)],
    ),
    "through a rule": (
        'deny contains "a" if not fine\n\nfine if input.level >= 3',
        {"level": 1},
        [("replace", "/level", 3)],
    ),
    "through a function": (
        'deny contains "a" if not fine(input.level)\n\nfine(n) if n >= 3',
        {"level": 1},
        [("replace", "/level", 3)],
    ),
    "objects on the way": (
        'deny contains "a" if not input.meta.owner.name',
        {},
        [("add", "/meta", {"owner": {"name": True}})],
    ),
    "compared with the input": (
        'deny contains "a" if input.a != input.b',
        {"a": "1.4.1", "b": "1.4.2"},
        [("replace", "/b", "1.4.1")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_smallest_change_is_found(explained: Explain, name: str) -> None:
    text, input_, expected = CASES[name]
    explanation = explained(text, input_)
    found = explanation.counterfactual
    assert found is not None
    assert found.changes is not None
    told = [(c.op, "/" + "/".join(map(str, c.path)), c.new) for c in found.changes]
    assert sorted(told, key=lambda c: c[1]) == expected
    assert found.tries <= 1000


def test_many_findings_go_one_by_one(explained: Explain) -> None:
    text = 'deny contains c.name if {\n\tsome c in input.cs\n\tc.level != "low"\n}'
    input_ = {"cs": [{"name": f"n{n}", "level": "high"} for n in range(6)]}
    found = explained(text, input_).counterfactual
    assert found is not None
    assert found.changes is not None
    assert len(found.changes) == 6


def test_needless_changes_are_dropped(explained: Explain) -> None:
    text = (
        'deny contains "a" if {\n\tinput.a == 1\n\tinput.b == 1\n}\n\n'
        'deny contains "b" if input.c == 9'
    )
    found = explained(text, {"a": 2, "b": 2, "c": 2}).counterfactual
    assert found is not None
    assert [c.path for c in found.changes or ()] == [("c",)]


def test_what_makes_a_builtin_fail_is_no_answer(explained: Explain) -> None:
    text = 'deny contains "a" if time.parse_rfc3339_ns(input.when) > 1700000000000000000'
    found = explained(text, {"when": "2026-01-01T00:00:00Z"}).counterfactual
    assert found is not None
    assert found.changes is None or found.changes[0].new != "text"
    text = 'deny contains "a" if not net.cidr_contains("10.0.0.0/8", input.cidr)'
    found = explained(text, {"cidr": "192.168.0.0/16"}).counterfactual
    assert found is not None
    assert [c.new for c in found.changes or ()] == ["10.0.0.0/8"]


def test_a_complete_rule_is_flipped_both_ways(explained: Explain) -> None:
    text = 'default allow := false\n\nallow if input.role == "admin"'
    for role, outcome in (("dev", "false"), ("admin", "true")):
        explanation = explained(text, {"role": role}, "allow")
        assert explanation.outcome == outcome
        assert explanation.counterfactual is not None
        assert explanation.counterfactual.changes is not None


def test_a_complete_rule_with_several_conditions_is_flipped(explained: Explain) -> None:
    text = (
        'default allow := false\n\nallow if {\n\tinput.role == "admin"\n'
        '\tinput.method in {"GET", "PUT"}\n\tinput.level > 2\n}'
    )
    found = explained(text, {"role": "dev", "level": 1}, "allow").counterfactual
    assert found is not None
    assert {c.path for c in found.changes or ()} == {("role",), ("method",), ("level",)}


def test_what_cannot_be_flipped_is_said_honestly(explained: Explain) -> None:
    found = explained('deny contains "a" if input.a != data.missing', {"a": 1}).counterfactual
    assert found is not None
    assert (found.changes, found.stopped) == (None, "exhausted")


def test_the_search_is_bounded(explained: Explain) -> None:
    text = (
        'deny contains "a" if {\n\tcrypto.sha256(input.a) == "no"\n\tinput.b == "x"\n}\n\n'
        'words := ["one", "two", "three", "four", "five", "six", "seven"]'
    )
    found = explained(text, {"a": "q", "b": "x"}, bounds=Bounds(tries=7)).counterfactual
    assert found is not None
    assert (found.changes, found.tries, found.stopped) == (None, 7, "tries")


def test_no_search_without_bounds(explained: Explain) -> None:
    assert explained('deny contains "a" if input.a', {"a": 1}, bounds=None).counterfactual is None


def test_the_input_stays_as_it_is(explained: Explain) -> None:
    input_ = {"tags": ["a"], "meta": {"x": {"y": 1}}}
    explained('deny contains "a" if {\n\tinput.tags[0] == "b"\n\tinput.meta.x.y == 2\n}', input_)
    assert input_ == {"tags": ["a"], "meta": {"x": {"y": 1}}}


def test_many_findings_of_two_rules_take_few_tries(explained: Explain) -> None:
    text = (
        'deny contains c.name if {\n\tsome c in input.cs\n\tnot "MIT" in c.licences\n}\n\n'
        'deny contains "many" if count([c | some c in input.cs; c.level > 5]) > 3'
    )
    input_ = {
        "cs": [
            {"name": f"n{n}", "licences": ["MIT"] if n % 4 == 0 else [], "level": n}
            for n in range(36)
        ]
    }
    found = explained(text, input_).counterfactual
    assert found is not None
    assert found.changes is not None
    assert found.tries < 1000
