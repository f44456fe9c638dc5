"""Statements about decisions, against what their predicates' specifications require."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adjudge.decision.model import Decision, Digest, Subject
from adjudge.errors import UsageError
from adjudge.exports.intoto import EXTENSION, KINDS, SVR, TEST_RESULT, VSA, statement
from adjudge.exports.report import Report


def read(decision: Decision, kind: str, **options: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(statement(decision, kind, **options))
    return value


@pytest.fixture
def denial(denied: Report) -> Decision:
    return denied.decision


@pytest.fixture
def approval(allowed: Report) -> Decision:
    return allowed.decision


def test_subjects_are_what_has_a_digest(denial: Decision) -> None:
    found = read(denial, "vsa")
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    wanted = {s.path or s.name: s.digest.sha256 for s in denial.subject if s.digest}
    assert {s["name"]: s["digest"]["sha256"] for s in found["subject"]} == wanted
    assert len(found["subject"]) < len(denial.subject)


def test_a_denial_is_a_failed_summary(denial: Decision) -> None:
    found = read(denial, "vsa")
    assert found["predicateType"] == VSA
    predicate = found["predicate"]
    assert predicate["verificationResult"] == "FAILED"
    assert predicate["verifiedLevels"] == ["FAILED"]
    assert predicate["timeVerified"] == denial.time
    assert predicate["policy"]["digest"]["sha256"] == denial.policy.digest
    assert predicate["resourceUri"].startswith("pkg:generic/support-assistant")
    assert predicate[EXTENSION] == {
        "id": denial.decision_id,
        "digest": {"sha256": denial.digest},
        "outcome": "deny",
        "time": denial.time,
    }


def test_an_approval_names_levels_that_are_not_slsas(approval: Decision) -> None:
    predicate = read(approval, "vsa", verifier_id="https://example.org/gate")["predicate"]
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["verifier"]["id"] == "https://example.org/gate"
    assert predicate["verifiedLevels"]
    assert not any(level.startswith("SLSA_") for level in predicate["verifiedLevels"])


def test_a_simple_result_states_what_holds(approval: Decision) -> None:
    found = read(approval, "svr")
    assert found["predicateType"] == SVR
    predicate = found["predicate"]
    assert predicate["timeCreated"] == approval.time
    assert predicate["verifier"]["policies"][0]["digest"]["sha256"] == approval.policy.digest
    assert all(p.startswith("ADJUDGE_") for p in predicate["properties"])


def test_a_simple_result_cannot_deny(denial: Decision) -> None:
    with pytest.raises(UsageError) as raised:
        statement(denial, "svr")
    assert raised.value.code == "attestation_outcome"


def test_each_rule_is_one_test_by_its_worst_result(denial: Decision) -> None:
    found = read(denial, "test-result")
    assert found["predicateType"] == TEST_RESULT
    predicate = found["predicate"]
    assert predicate["result"] == "FAILED"
    listed = [*predicate["passedTests"], *predicate["warnedTests"], *predicate["failedTests"]]
    assert len(listed) == len(set(listed))
    failed = {r.rule_id for r in denial.results if r.outcome in ("fail", "error")}
    assert set(predicate["failedTests"]) == failed
    waived = {r.rule_id for r in denial.results if r.outcome == "waived"}
    assert waived <= set(predicate["warnedTests"]) | failed


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_decided_is_nothing_to_attest(approval: Decision, kind: str) -> None:
    nothing = approval.model_copy(update={"outcome": "no_verdict"})
    with pytest.raises(UsageError) as raised:
        statement(nothing, kind)
    assert raised.value.code == "attestation_outcome"


def test_without_digests_there_is_no_subject(approval: Decision) -> None:
    runtime = approval.model_copy(update={"subject": (Subject(name="call", kind="release"),)})
    with pytest.raises(UsageError) as raised:
        statement(runtime, "vsa")
    assert raised.value.code == "attestation_no_subject"


def test_two_artifacts_with_one_path_keep_two_names(approval: Decision) -> None:
    subjects = (
        Subject(name="w", kind="weights", path="w.bin", digest=Digest(sha256="1" * 64)),
        Subject(name="w", kind="signed_artifact", path="w.bin", digest=Digest(sha256="2" * 64)),
    )
    found = read(approval.model_copy(update={"subject": subjects}), "vsa")
    assert {s["name"] for s in found["subject"]} == {"w.bin", "w.bin#signed_artifact"}
