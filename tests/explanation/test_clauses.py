"""Clause by clause: what held, what failed first, with which values."""

from __future__ import annotations

import pytest
from tests.explanation.conftest import Explain

from adjudge.errors import UsageError
from adjudge.explanation import Clause

DENY = """deny contains msg if {
	some c in input.cs
	c.level > 2
	not trusted
	msg := sprintf("%s is over", [c.name])
}

trusted if {
	input.owner == "us"
	input.signed
}"""


def statuses(clause: Clause) -> list[str]:
    return [e.status for e in clause.expressions]


def test_what_holds_is_told_with_its_values(explained: Explain) -> None:
    explanation = explained(DENY, {"cs": [{"name": "x", "level": 3}], "owner": "them"})
    assert explanation.outcome == "defined"
    assert explanation.findings == ("x is over",)
    (clause,) = explanation.clauses
    assert clause.solutions == 1
    assert statuses(clause) == ["held"] * 4
    level = clause.expressions[1]
    assert level.text == "c.level > 2"
    assert dict(level.values) == {"c.level": "3"}
    assert level.location[1:] == (5, 2)


def test_the_first_that_failed_is_told(explained: Explain) -> None:
    explanation = explained(DENY, {"cs": [{"name": "x", "level": 1}, {"name": "y"}]})
    (clause,) = explanation.clauses
    assert statuses(clause) == ["held", "failed", "not_reached", "not_reached"]
    assert dict(clause.expressions[1].values) == {"c.level": "1"}


def test_the_element_that_got_furthest_is_told(explained: Explain) -> None:
    input_ = {
        "cs": [{"name": "x", "level": 1}, {"name": "y", "level": 9}],
        "owner": "us",
        "signed": True,
    }
    (clause,) = explained(DENY, input_).clauses
    assert statuses(clause) == ["held", "held", "failed", "not_reached"]
    assert dict(clause.expressions[1].values) == {"c.level": "9"}
    # Why not: the rule holds, and so does each of its conditions.
    (because,) = clause.expressions[2].because
    assert because.rule == "trusted"
    assert statuses(because) == ["held", "held"]


def test_a_rule_that_does_not_hold_is_followed(explained: Explain) -> None:
    text = 'deny contains "a" if one\n\none if two\n\ntwo if input.x == 3'
    (clause,) = explained(text, {"x": 4}).clauses
    (one,) = clause.expressions[0].because
    (two,) = one.expressions[0].because
    assert two.expressions[0].status == "failed"
    assert dict(two.expressions[0].values) == {"input.x": "4"}


def test_what_is_undefined_is_told_so(explained: Explain) -> None:
    (clause,) = explained('deny contains "a" if input.x.y != 3', {"x": {}}).clauses
    assert dict(clause.expressions[0].values) == {"input.x.y": None}


def test_every_shows_the_condition_that_failed(explained: Explain) -> None:
    text = 'deny contains "a" if {\n\tevery x in input.xs {\n\t\tx > 2\n\t}\n}'
    (clause,) = explained(text, {"xs": [3, 1]}).clauses
    (every,) = clause.expressions
    assert every.status == "failed"
    assert dict(every.values)["x"] == "1"


def test_readings_tell_where_values_stand(explained: Explain) -> None:
    source = '{\n  "a": 1,\n  "b": {\n    "c": "x"\n  }\n}'
    text = 'deny contains "a" if {\n\tinput.b.c == "x"\n\tinput.gone == 2\n}'
    explanation = explained(text, {"a": 1, "b": {"c": "x"}}, source=source)
    told = {r.pointer: (r.shown, r.place) for r in explanation.readings}
    assert told["/b/c"][0] == '"x"'
    assert str(told["/b/c"][1]) == "in.json:4:10"
    assert told["/gone"][0] is None


def test_clauses_of_one_rule_are_told_apart(explained: Explain) -> None:
    text = 'deny contains "a" if input.a\n\ndeny contains "b" if input.b'
    first, second = explained(text, {"b": 1}).clauses
    assert (first.solutions, second.solutions) == (0, 1)


def test_an_error_is_an_outcome(explained: Explain) -> None:
    explanation = explained("deny := 1 if input.a\n\ndeny := 2 if input.a", {"a": True})
    assert explanation.outcome == "error"
    assert "eval_conflict_error" in explanation.findings[0]
    assert explanation.counterfactual is None


@pytest.mark.parametrize(
    ("rule", "code"),
    [("missing", "unknown_rule"), ("f", "rule_without_clauses"), ("d", "rule_without_clauses")],
)
def test_only_rules_with_clauses_can_be_asked(explained: Explain, rule: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        explained("f(x) := x\n\ndefault d := 1\n\ndeny := 1", {}, rule)
    assert caught.value.code == code
