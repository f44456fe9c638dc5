"""The record: strict, ordered, hashed as documented, and as its schema says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
import rfc8785
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from adjudge.decision.model import (
    Decision,
    Degradation,
    Digest,
    Evidence,
    Nondeterminism,
    Obligation,
    Source,
    Subject,
)
from adjudge.decision.schemas import SCHEMAS, render, schema_text
from adjudge.decision.values import encode_value
from adjudge.errors import InputError

Build = Callable[..., Any]


@pytest.fixture
def full(decision: Build, result: Build) -> Decision:
    """A decision in which every member of the record is used."""
    evidence = (
        Evidence(
            artifact="card.md",
            pointer="/facts/intended_use",
            recorded="value",
            value=encode_value({"n": [10**20, 1e20, 0.5, None, "é\udc80"]}),
            source=Source(file="card.md", line=3, column=7),
        ),
        Evidence(artifact=None, pointer="/release/owner", recorded="absent"),
        Evidence(artifact="a", pointer="/b", recorded="redacted", redacted="secret_name"),
        Evidence(artifact="a", pointer="/c", recorded="digest", digest="d" * 64),
    )
    made = decision(
        result(evidence=evidence, controls=("eu-ai-act/13.3.b.i",), remediation="Write it."),
        result(outcome="pass", rule_id="A"),
        degradations=(Degradation(code="offline", message="no network", detail={"n": 1}),),
        obligations=(Obligation(rule_id="R", action="mask", parameters={"fields": ["email"]}),),
        nondeterminism=(Nondeterminism(builtin="time.now_ns", arguments=[], result=1),),
        timings={"total": 12},
    )
    assert isinstance(made, Decision)
    return made


def test_the_digest_is_over_the_canonical_json_without_timings(full: Decision) -> None:
    document = full.document()
    digest = document.pop("digest")
    document.pop("timings")
    assert hashlib.sha256(rfc8785.dumps(document)).hexdigest() == digest == full.digest


def test_timings_do_not_change_the_digest(decision: Build, result: Build) -> None:
    assert decision(result(), timings={"a": 1}).digest == decision(result()).digest


def test_every_other_change_does(decision: Build, result: Build) -> None:
    assert decision(result(message="x")).digest != decision(result()).digest


def test_a_record_comes_back_from_its_json(full: Decision) -> None:
    again = Decision.from_json(json.dumps(full.document()))
    assert again == full
    assert again.digest == full.digest
    assert Decision.from_json(full.canonical).digest == full.digest


def test_a_changed_record_is_noticed(full: Decision) -> None:
    document = full.document()
    document["outcome"] = "allow"
    with pytest.raises(InputError) as caught:
        Decision.from_json(json.dumps(document))
    assert caught.value.code == "decision_digest_mismatch"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        b'"\\ud800"',
        b"[" * 100_000,
        b'{"schema": "adjudge.decision/v2"}',
    ],
)
def test_what_is_no_record(text: bytes) -> None:
    with pytest.raises(InputError) as caught:
        Decision.from_json(text)
    assert caught.value.code == "decision_invalid"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("decision_id", "0192"),
        ("time", "2026-02-30T00:00:00Z"),
        ("outcome", "maybe"),
        ("unknown", 1),
        ("timings", {"total": -1}),
        ("subject", [{"name": 1}]),
        ("results", [{"rule_id": "only"}]),
        ("degradations", [{"code": "x", "message": "y", "detail": 1e300}]),
    ],
)
def test_bad_members_are_refused_by_model_and_named(
    full: Decision, member: str, value: object
) -> None:
    document = {**full.document(), member: value}
    del document["digest"]
    with pytest.raises(InputError) as caught:
        Decision.from_json(json.dumps(document))
    assert caught.value.code == "decision_invalid"
    assert member in caught.value.message


def test_names_that_are_not_unicode_are_spelled_out() -> None:
    subject = Subject(name="a\udcff", kind="generic", digest=Digest(sha256="0" * 64))
    assert subject.name == "a\\udcff"


@pytest.mark.parametrize(
    "members",
    [
        {"recorded": "value", "digest": "0" * 64},
        {"recorded": "digest"},
        {"recorded": "redacted"},
        {"recorded": "redacted", "redacted": "x", "value": 1},
        {"recorded": "absent", "value": 1},
        {"recorded": "value", "value": 2**60},
        {"recorded": "digest", "digest": "A" * 64},
    ],
)
def test_evidence_has_one_form(members: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Evidence(artifact="a", pointer="/x", **members)


def test_a_waived_result_needs_a_waiver(result: Build) -> None:
    with pytest.raises(ValidationError):
        result(outcome="waived")


def test_the_record_cannot_be_changed(full: Decision) -> None:
    with pytest.raises(ValidationError):
        full.outcome = "allow"


def test_exit_codes(decision: Build, result: Build) -> None:
    assert decision(result(outcome="pass")).exit_code == 0
    assert decision(result()).exit_code == 1
    assert decision().exit_code == 2


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_published_schema_is_the_one_of_the_model(name: str) -> None:
    assert schema_text(name) == render(name)
    Draft202012Validator.check_schema(json.loads(schema_text(name)))


def test_records_validate_against_the_published_schema(
    full: Decision, decision: Build, result: Build
) -> None:
    validator = Draft202012Validator(json.loads(schema_text("decision-v1.json")))
    for made in (full, decision(), decision(result())):
        assert list(validator.iter_errors(json.loads(json.dumps(made.document())))) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.pop("digest"),
        lambda d: d.update(extra=1),
        lambda d: d["results"][0].update(outcome="unknown"),
        lambda d: d["results"][0].pop("evidence"),
        lambda d: d.update(schema="adjudge.decision/v2"),
        lambda d: d["subject"][0]["digest"].update(sha256="ABC"),
    ],
)
def test_the_published_schema_refuses_what_the_model_refuses(
    full: Decision, spoil: Callable[[dict[str, Any]], object]
) -> None:
    document = json.loads(json.dumps(full.document()))
    spoil(document)
    validator = Draft202012Validator(json.loads(schema_text("decision-v1.json")))
    assert list(validator.iter_errors(document))
