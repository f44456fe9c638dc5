"""Decisions in, CSV out: one row per rule result, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from adjudge.decision.model import Decision, RuleResult
from adjudge.exports.escape import csv_cell
from adjudge.exports.report import Report

COLUMNS = (
    "decision_id",
    "time",
    "decision",
    "subject",
    "environment",
    "tenant",
    "rule_id",
    "title",
    "severity",
    "outcome",
    "message",
    "controls",
    "artifact",
    "file",
    "line",
    "column",
    "waiver",
    "waiver_owner",
    "waiver_expires",
    "remediation",
    "policy",
    "policy_digest",
    "decision_digest",
)


def render(report: Report) -> str:
    """The results of one decision."""
    return rows_text([report.decision])


def rows_text(decisions: Iterable[Decision]) -> str:
    """The results of decisions as CSV (RFC 4180) with a header line."""
    sink = io.StringIO()
    writer = csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for decision in decisions:
        for row in _rows(decision):
            writer.writerow([csv_cell(cell) for cell in row])
    return sink.getvalue()


def _rows(decision: Decision) -> Iterator[list[str]]:
    """One row per result; a decision without results still gets its row."""
    subject = "; ".join(s.name for s in decision.subject if s.kind == "release")
    subject = subject or "; ".join(s.path or s.name for s in decision.subject)
    head = [decision.decision_id, decision.time, decision.outcome, subject]
    head += [decision.context.environment or "", decision.context.tenant or ""]
    tail = [decision.policy.name, decision.policy.digest, decision.digest]
    for result in decision.results:
        yield [*head, *_cells(result), *tail]
    if not decision.results:
        yield [*head, *[""] * (len(COLUMNS) - len(head) - len(tail)), *tail]


def _cells(result: RuleResult) -> list[str]:
    source, waiver = result.source, result.waiver
    return [
        result.rule_id,
        result.title,
        result.severity or "",
        result.outcome,
        result.message,
        "; ".join(result.controls),
        result.artifact or "",
        source.file if source else "",
        str(source.line) if source else "",
        str(source.column) if source else "",
        waiver.id if waiver else "",
        waiver.owner if waiver else "",
        waiver.expires if waiver else "",
        result.remediation,
    ]
