"""Outcome rules and the order of the record."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from adjudge.decision.model import AppliedWaiver, Evidence, FailOn, Source
from adjudge.decision.outcome import (
    ReasonCode,
    decide,
    limit_evidence,
    no_verdict,
    sort_evidence,
    sort_results,
)

Build = Callable[..., Any]

WAIVER = AppliedWaiver(
    id="W-1",
    reason="r",
    ticket="T",
    owner="o",
    approved_by=("a",),
    expires="2026-12-01T23:59:59Z",
)


@pytest.mark.parametrize(
    ("outcomes", "fail_on", "verdict", "code", "reasons"),
    [
        ("", "deny", "no_verdict", 2, ["no_rules_evaluated"]),
        ("not_applicable", "deny", "no_verdict", 2, ["no_rules_evaluated"]),
        ("pass", "deny", "allow", 0, ["no_blocking_result"]),
        ("pass not_applicable", "deny", "allow", 0, ["no_blocking_result"]),
        ("warn", "deny", "allow", 0, ["no_blocking_result"]),
        ("warn", "warn", "deny", 1, ["denied_by_warning"]),
        ("waived", "warn", "allow", 0, ["no_blocking_result", "waivers_applied"]),
        ("pass fail", "deny", "deny", 1, ["denied_by_rule"]),
        ("pass error", "deny", "deny", 1, ["evaluation_error"]),
        ("error", "deny", "deny", 1, ["evaluation_error"]),
        (
            "fail error warn waived",
            "warn",
            "deny",
            1,
            ["denied_by_rule", "denied_by_warning", "evaluation_error"],
        ),
    ],
)
def test_outcomes(
    result: Build, outcomes: str, fail_on: FailOn, verdict: str, code: int, reasons: list[str]
) -> None:
    results = [
        result(outcome=o, waiver=WAIVER if o == "waived" else None) for o in outcomes.split()
    ]
    made = decide(results, fail_on)
    assert (made.outcome, made.exit_code, list(made.reason_codes)) == (verdict, code, reasons)


def test_no_verdict_always_has_a_reason() -> None:
    assert no_verdict().reason_codes == (ReasonCode.NO_VERDICT,)
    assert no_verdict(ReasonCode.TIMEOUT, ReasonCode.INPUT_INVALID).reason_codes == (
        ReasonCode.INPUT_INVALID,
        ReasonCode.TIMEOUT,
    )


def test_results_stand_in_one_order_whatever_order_they_come_in(result: Build) -> None:
    at = [Source(file="card.md", line=line, column=1) for line in (9, 10)]
    ordered = [
        result(rule_id="A", artifact=None),
        result(rule_id="A", artifact="a"),
        result(rule_id="A", artifact="b", source=at[0], message="z"),
        result(rule_id="A", artifact="b", source=at[1], message="a"),
        result(rule_id="A", artifact="b", source=at[1], message="b", details={"x": 1}),
        result(rule_id="A", artifact="b", source=at[1], message="b", details={"x": 2}),
        result(rule_id="B"),
    ]
    for shuffled in itertools.islice(itertools.permutations(ordered), 0, 5040, 97):
        assert list(sort_results(shuffled)) == ordered


def _evidence(pointer: str, line: int | None = None) -> Evidence:
    source = Source(file="card.md", line=line, column=1) if line else None
    return Evidence(artifact="card.md", pointer=pointer, recorded="value", value=1, source=source)


def test_evidence_is_sorted_by_place_and_said_once(result: Build) -> None:
    late, early, nowhere = _evidence("/a", 10), _evidence("/b", 9), _evidence("/c")
    assert sort_evidence([late, early, nowhere, late]) == (nowhere, early, late)
    (sorted_result,) = sort_results([result(evidence=(late, early))])
    assert sorted_result.evidence == (early, late)


def test_limiting_keeps_what_the_finding_is_about() -> None:
    evidence = [_evidence(f"/{n}", n) for n in range(1, 9)]
    kept, omitted = limit_evidence(evidence, 3, first="/8")
    assert [item.pointer for item in kept] == ["/1", "/2", "/8"]
    assert omitted == 5
    assert limit_evidence(evidence, 8) == (tuple(evidence), 0)


def test_the_record_depends_on_the_arguments_only(decision: Build, result: Build) -> None:
    results = [result(rule_id=name) for name in "CAB"]
    assert decision(*results).canonical == decision(*reversed(results)).canonical
    assert [r.rule_id for r in decision(*results).results] == ["A", "B", "C"]


def test_a_given_outcome_wins(decision: Build, result: Build) -> None:
    made = decision(result(outcome="pass"), outcome=no_verdict(ReasonCode.TIMEOUT))
    assert (made.outcome, made.reason_codes) == ("no_verdict", ("timeout",))
