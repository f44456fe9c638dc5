"""Shipped rules over the example releases: what flips them, verified by the other variant."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adjudge.explanation import Bounds, Explanation, Ground, RuleExplainer
from adjudge.explanation.changes import applied
from adjudge.gate.run import Prepared, Request, prepare
from adjudge.rego import Options

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOW = 1_795_200_000_000_000_000  # in November 2026


@cache
def prepared(example: str) -> Prepared:
    return prepare(Request(paths=[str(EXAMPLES / example)], policies=("strict",), as_of_ns=NOW))


def explained(example: str, rule: str) -> list[tuple[Explanation, Ground]]:
    case = prepared(example)
    specs = [s for s in case.judge.policies.rules if s.id == rule]
    explainer = RuleExplainer(case.judge, case.case, case.settings, specs, Bounds(seconds=30.0))
    return list(explainer.explanations())


def fires(example: str, rule: str, input_: Any) -> bool:
    """Whether the rule finds something, by the variant that records nothing."""
    case = prepared(example)
    program = case.judge.program
    options = Options(now_ns=NOW, strict_builtin_errors=True)
    paths = {s.path for s in case.judge.policies.rules if s.id == rule}
    found = False
    for path in paths:
        value = program.rule_at(path)(program.context(input_, options, None))
        found = found or bool(value)
    return found


@pytest.mark.parametrize(
    ("rule", "kind", "beginning"),
    [
        ("MC-04", "model_card", "/facts/license/ids/0"),
        ("MC-05", "model_card", "/facts/intended_use"),
        ("MC-17", "model_card", "/facts/placeholders/0"),
        ("PB-03", "prompt_bundle", "/facts/secrets/0"),
        ("PB-05", "prompt_bundle", "/facts/model/pinned"),
        ("PB-07", "prompt_bundle", "/facts/placements/"),
        ("SB-02", "release", "/artifacts/"),
        ("SB-04", "sbom", "/facts/vulnerabilities/0/"),
    ],
)
def test_what_is_denied_would_pass(rule: str, kind: str, beginning: str) -> None:
    example = "support-assistant-broken"
    ((explanation, ground),) = [e for e in explained(example, rule) if e[0].kind == kind]
    assert explanation.outcome == "fail"
    found = explanation.counterfactual
    assert found is not None
    assert found.changes is not None
    assert found.changes[0].to_json()["path"].startswith(beginning)
    assert fires(example, rule, ground.input)
    assert not fires(example, rule, applied(ground.input, found.changes))
    # Weights have no lines.
    assert ground.place(found.changes[0].path)[1] is not None or kind == "release"


@pytest.mark.parametrize("rule", ["MC-06", "MC-12", "MC-18", "PB-09", "PB-11", "RK-02", "SB-03"])
def test_what_passes_would_be_found(rule: str) -> None:
    example = "support-assistant"
    told = [e for e in explained(example, rule) if e[0].outcome == "pass"]
    assert told
    for explanation, ground in told:
        found = explanation.counterfactual
        assert found is not None
        assert found.changes is not None
        assert not fires(example, rule, ground.input)
        assert fires(example, rule, applied(ground.input, found.changes))


def test_what_is_made_from_the_files_is_left_alone() -> None:
    for explanation, _ in explained("support-assistant-broken", "SG-01"):
        found = explanation.counterfactual
        for change in found.changes or () if found is not None else ():
            assert change.path[-1] not in ("digest", "kind", "size", "path")


def test_yaml_rules_are_told_by_their_lines() -> None:
    ((explanation, _),) = explained("support-assistant-broken", "MC-05")
    first, second = explanation.clauses
    assert (first.solutions, second.solutions) == (1, 0)
    assert first.location.file.endswith("mc-05-intended-purpose.yaml")
    assert [e.status for e in second.expressions] == ["failed", "not_reached"]
    assert explanation.readings
