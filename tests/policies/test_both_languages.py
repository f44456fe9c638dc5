"""Ten rules in Rego and in YAML: equal decisions on every example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adjudge.decision.model import Decision
from adjudge.evaluation import Judge
from adjudge.policyset import load_policy_set

from .conftest import EXAMPLES, Decide, Overlay, cases

BOTH = EXAMPLES / "rego-and-yaml"
SINGLE = (
    "support-assistant",
    "support-assistant-broken",
    "sbom-only/webshop.cdx.json",
    "card-only/model/README.md",
)


@pytest.fixture(scope="module")
def judges() -> tuple[Judge, Judge]:
    """The ten rules in Rego, and in YAML."""
    return Judge(load_policy_set([BOTH / "rego"])), Judge(load_policy_set([BOTH / "yaml"]))


def comparable(decision: Decision) -> tuple[str, list[dict[str, Any]]]:
    """What a decision says, but for where its rules stand and what they read on the way."""
    left_out = {"package", "location", "evidence", "evidence_omitted"}
    results = [r.model_dump(mode="json", exclude=left_out) for r in decision.results]
    return decision.outcome, sorted(results, key=str)


def assert_equal(judges: tuple[Judge, Judge], decide: Decide, path: Path) -> None:
    rego, yaml = (comparable(decide(judge, path, trusted=True)) for judge in judges)
    assert rego == yaml
    assert not [r for r in rego[1] if r["outcome"] == "error"]


@pytest.mark.parametrize("example", SINGLE)
def test_examples(example: str, judges: tuple[Judge, Judge], decide: Decide) -> None:
    assert_equal(judges, decide, EXAMPLES / example)


@pytest.mark.parametrize("case", cases())
def test_broken_cases(
    case: str, judges: tuple[Judge, Judge], decide: Decide, overlay: Overlay
) -> None:
    assert_equal(judges, decide, overlay(case))


def test_the_examples_exercise_every_rule(
    judges: tuple[Judge, Judge], decide: Decide, overlay: Overlay
) -> None:
    """Each of the ten rules finds something somewhere, and passes somewhere."""
    paths = [EXAMPLES / s for s in SINGLE] + [overlay(case) for case in cases()]
    outcomes: dict[str, set[str]] = {}
    for path in paths:
        for result in decide(judges[0], path, trusted=True).results:
            outcomes.setdefault(result.rule_id, set()).add(result.outcome)
    assert len(outcomes) == 10
    for rule, seen in outcomes.items():
        assert "pass" in seen, rule
        assert seen & {"fail", "warn"}, rule


def test_the_rules_are_the_same_to_people(judges: tuple[Judge, Judge]) -> None:
    def about(judge: Judge) -> set[tuple[Any, ...]]:
        return {
            (r.id, r.title, r.description, r.severity, r.controls, r.remediation, r.applies_to)
            for r in judge.policies.rules
        }

    rego, yaml = map(about, judges)
    assert rego == yaml
