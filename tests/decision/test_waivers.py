"""Waivers: the file, who may approve, what they cover, and what is reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from jsonschema import Draft202012Validator

from adjudge.decision.model import RuleResult, Subject
from adjudge.decision.schemas import schema_text
from adjudge.decision.times import parse_time
from adjudge.decision.waiver_file import WaiverSet, parse_waivers
from adjudge.decision.waivers import WaiverNote, WaiverReport, WaiverSettings, apply_waivers
from adjudge.errors import InputError

Build = Callable[..., Any]
NOW = parse_time("2026-11-20T09:30:00Z")
CARD_DIGEST = "c" * 64


class Place(NamedTuple):
    line: int
    column: int


def entry(**changes: Any) -> dict[str, Any]:
    """A valid waiver for the failure of the ``result`` fixture; None removes a member."""
    members: dict[str, Any] = {
        "id": "W-1",
        "rule": "MC-05",
        "subject": {"name": "card.md", "digest": f"sha256:{CARD_DIGEST}"},
        "reason": "The text is being reviewed by legal.",
        "ticket": "RISK-12",
        "owner": "Alice",
        "approved_by": ["Bob", "Carol"],
        "created": "2026-11-01",
        "expires": "2026-12-31",
    }
    return {name: value for name, value in {**members, **changes}.items() if value is not None}


def parsed(*entries: Any) -> WaiverSet:
    return parse_waivers({"waivers": list(entries)}, "waivers.yaml")


@pytest.fixture
def judge(
    result: Build, subjects: tuple[Subject, ...]
) -> Callable[..., tuple[RuleResult, WaiverReport]]:
    """Applies waiver entries to one failure at ``now``."""

    def run(
        *entries: Any,
        finding: RuleResult | None = None,
        now: int = NOW,
        settings: WaiverSettings | None = None,
    ) -> tuple[RuleResult, WaiverReport]:
        (judged,), report = apply_waivers(
            [finding or result()], parsed(*entries), now, subjects=subjects, settings=settings
        )
        return judged, report

    return run


def only(notes: tuple[WaiverNote, ...]) -> WaiverNote:
    (note,) = notes
    return note


def test_a_valid_waiver_covers_the_failure(judge: Build) -> None:
    judged, report = judge(entry())
    assert judged.outcome == "waived"
    assert judged.waiver.model_dump() == {
        "id": "W-1",
        "reason": "The text is being reviewed by legal.",
        "ticket": "RISK-12",
        "owner": "Alice",
        "approved_by": ("Bob", "Carol"),
        "expires": "2026-12-31T23:59:59Z",
    }
    note = only(report.applied)
    assert (note.id, note.code, note.findings, note.days_left) == ("W-1", "applied", 1, 41)
    assert report == WaiverReport(applied=(note,))


@pytest.mark.parametrize("outcome", ["pass", "warn", "error", "not_applicable"])
def test_only_failures_are_waived(judge: Build, result: Build, outcome: str) -> None:
    judged, report = judge(entry(), finding=result(outcome=outcome))
    assert judged.outcome == outcome
    assert only(report.unused).code == "unused"


@pytest.mark.parametrize(
    ("changes", "group", "code", "says"),
    [
        ({"rule": "MC-06"}, "unused", "unused", "the rule found nothing"),
        ({"rule": "MC-0?"}, "unused", "unused", "the rule found nothing"),
        ({"subject": {"name": "other.md"}}, "unused", "unused", "this name"),
        ({"subject": {"name": "*.md"}}, "unused", "unused", "this name"),
        ({"subject": {"digest": "d" * 64}}, "unused", "unused", "this digest"),
        (
            {"subject": {"name": "card.md", "digest": "d" * 64}},
            "refused",
            "digest_mismatch",
            "changed since",
        ),
        ({"expires": "2026-11-19"}, "expired", "expired", "expired"),
        ({"expires": "2026-11-20T09:29:59Z"}, "expired", "expired", "expired"),
        ({"created": "2026-11-21"}, "refused", "not_yet_valid", "2026-11-21"),
        ({"expires": "2027-05-01"}, "refused", "lifetime_too_long", "181 days; at most 180"),
        ({"approved_by": ["Bob"]}, "refused", "approval_missing", "needs 2 approvers"),
        ({"approved_by": ["Bob", " @bob"]}, "refused", "approval_missing", "it has 1"),
        ({"approved_by": ["Bob", "ALICE"]}, "refused", "approval_missing", "it has 1"),
    ],
)
def test_waivers_that_do_not_cover(
    judge: Build, changes: dict[str, Any], group: str, code: str, says: str
) -> None:
    judged, report = judge(entry(**changes))
    assert judged.outcome == "fail"
    note = only(getattr(report, group))
    assert note.code == code
    assert says in note.message
    assert not report.applied
    assert not report.expiring_soon


@pytest.mark.parametrize(
    "changes",
    [
        {"expires": "2026-11-20"},
        {"expires": "2026-11-20T09:30:00Z"},
        {"created": "2026-11-20", "expires": "2026-11-20"},
        {"created": "2026-11-01", "expires": "2027-04-30"},
        {"subject": {"name": "card.md"}},
        {"subject": {"name": "card"}},
        {"subject": {"digest": CARD_DIGEST}},
        {"approved_by": ["Alice", "Bob", "Carol"]},
    ],
)
def test_the_edges_that_still_cover(judge: Build, changes: dict[str, Any]) -> None:
    assert judge(entry(**changes))[0].outcome == "waived"


@pytest.mark.parametrize(
    ("severity", "approvers", "outcome"),
    [
        ("critical", ["Bob"], "fail"),
        ("critical", ["Bob", "Carol"], "waived"),
        ("medium", ["Bob"], "waived"),
        (None, ["Bob"], "waived"),
        ("low", ["Alice"], "fail"),
    ],
)
def test_severity_decides_how_many_must_approve(
    judge: Build, result: Build, severity: str | None, approvers: list[str], outcome: str
) -> None:
    judged, _ = judge(entry(approved_by=approvers), finding=result(severity=severity))
    assert judged.outcome == outcome


def test_settings(judge: Build) -> None:
    unbound = entry(subject={"name": "card.md"})
    _, report = judge(unbound, settings=WaiverSettings(require_digest=True))
    assert only(report.refused).code == "digest_required"
    _, report = judge(entry(), settings=WaiverSettings(max_lifetime_days=59))
    assert only(report.refused).code == "lifetime_too_long"
    _, report = judge(entry(), settings=WaiverSettings(expiring_soon_days=42))
    assert only(report.expiring_soon) == only(report.applied)


def test_expiring_soon_is_said_of_unused_waivers_too(judge: Build) -> None:
    _, report = judge(entry(rule="X", expires="2026-11-25"))
    assert only(report.expiring_soon) == only(report.unused)
    assert only(report.unused).days_left == 5


def test_an_expired_waiver_says_what_it_would_cover(judge: Build) -> None:
    assert only(judge(entry(expires="2026-11-19"))[1].expired).findings == 1
    assert only(judge(entry(rule="X", expires="2026-11-19"))[1].expired).findings == 0
    assert only(judge(entry(expires="2026-11-18"))[1].expired).days_left == -2


def test_findings_about_the_release_need_the_release_as_subject(
    judge: Build, result: Build
) -> None:
    finding = result(artifact=None)
    assert judge(entry(), finding=finding)[0].outcome == "fail"
    for subject in ({"name": "assistant"}, {"digest": "e" * 64}):
        assert judge(entry(subject=subject), finding=finding)[0].outcome == "waived"


def test_the_first_of_several_is_recorded_and_all_count_as_used(judge: Build) -> None:
    judged, report = judge(entry(id="W-2"), entry(id="W-1"))
    assert judged.waiver.id == "W-1"
    assert [note.id for note in report.applied] == ["W-1", "W-2"]


def test_one_waiver_may_cover_several_findings(result: Build) -> None:
    findings = [result(message=text) for text in "abc"]
    judged, report = apply_waivers(
        findings, parsed(entry(subject={"name": "card.md"})), NOW, subjects=()
    )
    assert [r.outcome for r in judged] == ["waived"] * 3
    assert only(report.applied).message == "covers 3 findings"


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"expires": None}, "undated", "expires is missing"),
        ({"created": None}, "undated", "created is missing"),
        ({"expires": "soon"}, "undated", "not a date"),
        ({"expires": 20261231}, "undated", "must be text"),
        ({"expires": "2026-10-01"}, "undated", "before it was created"),
        ({"owner": None}, "malformed", "owner is missing"),
        ({"reason": "  "}, "malformed", "reason must not be empty"),
        ({"reason": "x" * 5000}, "malformed", "reason is too long"),
        ({"ticket": 12}, "malformed", "ticket must be text"),
        ({"approved_by": []}, "malformed", "approved_by must not be empty"),
        ({"approved_by": "Bob"}, "malformed", "approved_by must be a list"),
        ({"approved_by": ["Bob", 7]}, "malformed", "approved_by.1 must be text"),
        ({"subject": {}}, "malformed", "subject needs a name or a digest"),
        ({"subject": "card.md"}, "malformed", "subject must be a mapping"),
        ({"subject": {"digest": "abc"}}, "malformed", "must be a SHA-256"),
        ({"subject": {"name": "card.md", "path": "x"}}, "malformed", "subject.path is not known"),
        ({"id": "a b"}, "malformed", "letters, digits"),
        ({"id": None}, "malformed", "id is missing"),
        ({"severity": "low"}, "malformed", "severity is not known here"),
    ],
)
def test_malformed_waivers_never_apply(
    judge: Build, changes: dict[str, Any], code: str, says: str
) -> None:
    judged, report = judge(entry(**changes))
    assert judged.outcome == "fail"
    note = only(report.malformed)
    assert note.code == code
    assert says in note.message


@pytest.mark.parametrize("bad", [None, 7, "W-1", [], {"a\ud800": "b\udfff"}, {1: 2}])
def test_entries_that_are_no_mapping(bad: Any) -> None:
    assert only_malformed(parsed(bad)) in ("malformed", "undated")


def only_malformed(waivers: WaiverSet) -> str:
    (bad,) = waivers.malformed
    assert not waivers.waivers
    return bad.code


def test_an_id_used_twice_disables_both(judge: Build) -> None:
    judged, report = judge(entry(), entry(rule="X"))
    assert judged.outcome == "fail"
    assert [note.code for note in report.malformed] == ["duplicate_id", "duplicate_id"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "mapping"),
        ([], "mapping"),
        ({}, "missing"),
        ({"waivers": {}}, "missing"),
        ({"waivers": [], "kind": "Policy"}, "kind must be Waivers"),
        ({"waivers": [], "apiVersion": "v2"}, "apiVersion must be adjudge/v1"),
        ({"waivers": [], "waiver": 1}, "waiver is not known here"),
        ({"waivers": [{}] * 10_001}, "more than"),
    ],
)
def test_a_file_that_is_no_waiver_file(data: Any, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_waivers(data, "waivers.yaml")
    assert caught.value.code == "waivers_invalid"
    assert says in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.file == "waivers.yaml"


def test_problems_are_placed() -> None:
    asked: list[str] = []

    def locate(pointer: str) -> Place:
        asked.append(pointer)
        return Place(len(asked) + 1, 3)

    waivers = parse_waivers(
        {"waivers": [entry(), entry(id="W-2", owner="")]}, "waivers.yaml", locate
    )
    assert asked == ["/waivers/0", "/waivers/1", "/waivers/1/owner"]
    assert waivers.waivers[0].source is not None
    assert waivers.waivers[0].source.line == 2
    assert waivers.malformed[0].source is not None
    assert waivers.malformed[0].source.line == 4


@pytest.mark.parametrize(
    ("changes", "valid"),
    [({}, True), ({"expires": None}, False), ({"approved_by": []}, False), ({"x": 1}, False)],
)
def test_the_published_schema_agrees(changes: dict[str, Any], valid: bool) -> None:
    validator = Draft202012Validator(json.loads(schema_text("waivers-v1.json")))
    data = {"apiVersion": "adjudge/v1", "kind": "Waivers", "waivers": [entry(**changes)]}
    assert validator.is_valid(data) is valid
    assert bool(parse_waivers(data, "f").waivers) is valid
