"""Reports over many decisions: counted once, shown three ways."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from adjudge.decision.model import Decision
from adjudge.errors import UsageError
from adjudge.exports.period import Summary, render, summarise
from adjudge.exports.report import Report


@pytest.fixture
def decisions(denied: Report, allowed: Report, empty: Report) -> list[Decision]:
    """Four decisions on three days, newest first."""
    parts = (
        (allowed, "2026-11-23T10:00:00.5Z"),
        (empty, "2026-11-22T10:00:00Z"),
        (denied, "2026-11-21T10:00:00.25Z"),
        (denied, "2026-11-21T10:00:00Z"),
    )
    return [
        report.decision.model_copy(
            update={"time": time, "decision_id": f"{report.decision.decision_id[:-1]}{n}"}
        )
        for n, (report, time) in enumerate(parts)
    ]


@pytest.fixture
def summary(decisions: list[Decision]) -> Summary:
    return summarise(decisions, "2026-11-01", None)


def test_counts(summary: Summary) -> None:
    assert summary.outcomes == {"allow": 1, "deny": 2, "no_verdict": 1}
    assert summary.results["fail"] == 24
    rules = {line.rule_id: line for line in summary.rules}
    assert (rules["SB-03"].results["fail"], rules["SB-03"].decisions) == (18, 2)
    assert (rules["MC-01"].results["pass"], rules["MC-01"].decisions) == (3, 3)
    assert summary.rules[0].rule_id == "SB-03"


def test_controls_lead_to_decisions(summary: Summary, decisions: list[Decision]) -> None:
    controls = {line.control: line for line in summary.controls}
    line = controls["eu-ai-act/15.5"]
    assert (line.framework, line.requirement) == ("eu-ai-act", "15.5")
    assert line.decision_ids == [decisions[3].decision_id, decisions[2].decision_id]
    assert line.results["fail"] == 2


def test_decisions_stand_in_the_order_of_time(summary: Summary, decisions: list[Decision]) -> None:
    assert [line.decision_id for line in summary.decisions] == [
        d.decision_id for d in reversed(decisions)
    ]
    (subject,) = summary.subjects
    assert (subject.last_outcome, subject.last_time) == ("allow", "2026-11-23T10:00:00.5Z")


def test_the_order_given_does_not_matter(decisions: list[Decision]) -> None:
    forward, backward = summarise(decisions), summarise(decisions[::-1])
    assert forward.document() == backward.document()


def test_json(summary: Summary) -> None:
    document = json.loads(render(summary, "json"))
    assert document == json.loads(json.dumps(summary.document()))
    assert document["schema"] == "adjudge.period/v1"


def test_csv(summary: Summary) -> None:
    rows = list(csv.DictReader(io.StringIO(render(summary, "csv"), newline="")))
    assert len(rows) == sum(len(d.results) or 1 for d in summary.records)


def test_html(summary: Summary) -> None:
    page = render(summary, "html")
    assert "4 decisions" in page
    assert summary.decisions[0].digest in page
    assert page.count("<script") == 1


def test_nothing_happened() -> None:
    empty = summarise([])
    assert "No decision was made in this period." in render(empty, "html")
    assert json.loads(render(empty, "json"))["decisions"] == []
    assert len(render(empty, "csv").splitlines()) == 1


def test_hostile_text(hostile: Report) -> None:
    summary = summarise([hostile.decision])
    page = render(summary, "html")
    assert page.count("<script") == 1
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066]", page)
    for text in (page, render(summary, "csv"), render(summary, "json")):
        assert "##[" not in text
        assert not re.search(r"^\s*::", text, re.MULTILINE)


def test_an_unknown_format(summary: Summary) -> None:
    with pytest.raises(UsageError) as caught:
        render(summary, "pdf")
    assert caught.value.code == "output_format_unknown"
