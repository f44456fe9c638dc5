"""Decisions and a framework in, a matrix of controls out: as HTML, CSV or JSON.

Every control of the framework is in it: those that were looked at, those that rules stand to but
nothing was looked at (not exercised), and those that only people can assess (manual).  What holds
now is told from the latest decision about each subject; the counts are over all decisions.
The JSON form is ``adjudge.compliance/v1``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from adjudge.decision.model import Decision, RuleResult, Source
from adjudge.decision.times import parse_time
from adjudge.errors import UsageError
from adjudge.exports.escape import csv_cell
from adjudge.exports.excerpt import Excerpt
from adjudge.exports.framework import Control, Framework
from adjudge.exports.html import page
from adjudge.exports.json_ import dumps
from adjudge.exports.report import FINDINGS, OUTCOMES, VERDICTS, Report, place_of

SCHEMA_ID: Final = "adjudge.compliance/v1"
MAX_FINDINGS: Final = 50
"""Findings listed of one control on a page."""

State: TypeAlias = Literal["failing", "waived", "evidenced", "not_exercised", "manual"]
STATES: Final[Mapping[State, str]] = {
    "failing": "failing",
    "waived": "waived",
    "evidenced": "evidence found",
    "not_exercised": "not exercised",
    "manual": "assessed by people",
}
_TONES: Final = {
    "failing": "fail",
    "waived": "waived",
    "evidenced": "pass",
    "not_exercised": "warn",
    "manual": "not_applicable",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A result with the decision that it is part of."""

    decision: Decision
    result: RuleResult


@dataclass
class Line:
    """One control: what stands to it, what was found, what holds now."""

    control: Control
    name: str
    """The whole name, such as ``eu-ai-act/13.3.b.i``."""
    rules: dict[str, str]
    """Rules and their strength; ``evidence-for`` where only the rule names the control."""
    results: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    decisions: set[str] = field(default_factory=set)
    latest: list[Finding] = field(default_factory=list)

    @property
    def state(self) -> State:
        """What holds by the latest decisions."""
        found = {f.result.outcome for f in self.latest}
        if found & {"fail", "error"}:
            return "failing"
        if "waived" in found:
            return "waived"
        if found & {"pass", "warn"}:
            return "evidenced"
        return "not_exercised" if self.rules else "manual"

    @property
    def findings(self) -> list[Finding]:
        """What of the latest decisions somebody should look at."""
        return [f for f in self.latest if f.result.outcome in FINDINGS]


@dataclass(frozen=True)
class Matrix:
    """A framework over decisions.

    ``excerpts`` maps (decision id, file, line) to the text of that line.
    """

    framework: Framework
    decisions: Sequence[Decision]
    excerpts: Mapping[tuple[str, str, int], str] = field(default_factory=dict)
    since: str | None = None
    until: str | None = None

    @cached_property
    def latest(self) -> list[Decision]:
        """The latest decision about each subject, whatever its version, in order of time."""
        found: dict[tuple[str, str | None, str | None], Decision] = {}
        for decision in sorted(self.decisions, key=_when):
            context = decision.context
            found[subject_of(decision), context.environment, context.tenant] = decision
        return sorted(found.values(), key=_when)

    @cached_property
    def lines(self) -> list[Line]:
        """Every control of the framework, in its order."""
        prefix = f"{self.framework.id}/"
        lines = {
            prefix + c.id: Line(c, prefix + c.id, dict(c.rules)) for c in self.framework.controls
        }
        current = {d.decision_id for d in self.latest}
        for decision in self.decisions:
            for result in decision.results:
                for line in self._touched(result, lines):
                    line.rules.setdefault(result.rule_id, "evidence-for")
                    line.results[result.outcome] += 1
                    if result.outcome == "not_applicable":
                        continue
                    line.decisions.add(decision.decision_id)
                    if decision.decision_id in current:
                        line.latest.append(Finding(decision, result))
        return list(lines.values())

    def _touched(self, result: RuleResult, lines: Mapping[str, Line]) -> Iterator[Line]:
        """The controls a result says something about: those the rule names, and those the
        framework maps the rule to."""
        named = {c for c in result.controls if c in lines}
        named |= {n for n, line in lines.items() if result.rule_id in line.control.rules}
        return (lines[n] for n in lines if n in named)

    @cached_property
    def states(self) -> dict[State, int]:
        """How many controls are in each state."""
        found = [line.state for line in self.lines]
        return {state: found.count(state) for state in STATES}

    @cached_property
    def span(self) -> tuple[str, str] | None:
        """The times of the first and of the last decision."""
        times = [d.time for d in sorted(self.decisions, key=_when)]
        return (times[0], times[-1]) if times else None

    @cached_property
    def outcomes(self) -> dict[str, int]:
        """How many decisions there are of each outcome."""
        return {o: sum(d.outcome == o for d in self.decisions) for o in VERDICTS}

    def excerpt(self, finding: Finding) -> Excerpt | None:
        """The line a finding points at, where it is known and may be shown."""
        source = finding.result.source
        if source is None:
            return None
        return self._report(finding.decision).excerpt(source)

    def is_redacted(self, finding: Finding) -> bool:
        """Whether that line is withheld."""
        return self._report(finding.decision).is_redacted(finding.result.source)

    def _report(self, decision: Decision) -> Report:
        known = self._reports.get(decision.decision_id)
        if known is None:
            mine = {
                (file, line): text
                for (decision_id, file, line), text in self.excerpts.items()
                if decision_id == decision.decision_id
            }
            known = self._reports[decision.decision_id] = Report(decision, excerpts=mine)
        return known

    @cached_property
    def _reports(self) -> dict[str, Report]:
        return {}


def subject_of(decision: Decision) -> str:
    """What a decision is about, without the version: later versions take its place."""
    release = next((s for s in decision.subject if s.kind == "release"), None)
    if release is None or release.name == "release":
        return "; ".join(s.path or s.name for s in decision.subject if s is not release)
    return release.name.rpartition("@")[0] or release.name


def _when(decision: Decision) -> tuple[int, str]:
    return parse_time(decision.time), decision.decision_id


def render(report: Report) -> str:
    """The page about one decision."""
    return html(matrix_of(report))


def matrix_of(report: Report) -> Matrix:
    """The matrix of one decision, by the framework of the report.

    Raises :class:`UsageError` ``framework_missing``.
    """
    if report.framework is None:
        raise UsageError(
            "framework_missing",
            "nothing says which controls the decision is held against",
            hint="add --framework, such as --framework eu-ai-act",
        )
    return Matrix(report.framework, [report.decision], excerpts_of([report]))


# --- JSON -----------------------------------------------------------------------------------------


def data(matrix: Matrix) -> str:
    """The matrix as JSON text."""
    return dumps(document(matrix), indent=2) + "\n"


def document(matrix: Matrix) -> dict[str, Any]:
    """The matrix as JSON-like data."""
    meta = matrix.framework.metadata
    return {
        "schema": SCHEMA_ID,
        "framework": {"id": meta.id, "title": meta.title, "edition": meta.edition},
        "since": matrix.since,
        "until": matrix.until,
        "decisions": [
            {"decision_id": d.decision_id, "digest": d.digest, "outcome": d.outcome, "time": d.time}
            for d in sorted(matrix.decisions, key=_when)
        ],
        "states": matrix.states,
        "controls": [_control(line) for line in matrix.lines],
    }


def _control(line: Line) -> dict[str, Any]:
    return {
        "control": line.name,
        "title": line.control.title,
        "state": line.state,
        "rules": dict(sorted(line.rules.items())),
        "results": line.results,
        "decisions": len(line.decisions),
        "findings": [
            {
                "decision_id": f.decision.decision_id,
                "decision_digest": f.decision.digest,
                "rule_id": f.result.rule_id,
                "outcome": f.result.outcome,
                "message": f.result.message,
                "artifact": f.result.artifact,
                "source": f.result.source.model_dump() if f.result.source else None,
            }
            for f in line.findings
        ],
    }


# --- CSV ------------------------------------------------------------------------------------------

_COLUMNS: Final = (
    "framework",
    "control",
    "title",
    "state",
    "rules",
    "decisions",
    *OUTCOMES,
    "findings",
)


def rows(matrix: Matrix) -> str:
    """The matrix as CSV (RFC 4180) with a header line, safe to open in a spreadsheet."""
    sink = io.StringIO()
    writer = csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for line in matrix.lines:
        cells = [
            matrix.framework.id,
            line.control.id,
            line.control.title,
            STATES[line.state],
            "; ".join(f"{rule} ({how})" for rule, how in sorted(line.rules.items())),
            str(len(line.decisions)),
            *(str(line.results[o]) for o in OUTCOMES),
            "; ".join(_sentence(f) for f in line.findings[:MAX_FINDINGS]),
        ]
        writer.writerow([csv_cell(cell) for cell in cells])
    return sink.getvalue()


def _sentence(finding: Finding) -> str:
    place = place_of(finding.result)
    return f"{finding.result.rule_id}: {finding.result.message}" + (f" ({place})" if place else "")


# --- HTML -----------------------------------------------------------------------------------------


def html(matrix: Matrix) -> str:
    """The matrix as one self-contained page."""
    return page(
        "compliance.html.j2",
        document(matrix),
        matrix=matrix,
        meta=matrix.framework.metadata,
        states=STATES,
        tones=_TONES,
        verdicts=VERDICTS,
        lines=[_view(line, matrix) for line in matrix.lines],
        max_findings=MAX_FINDINGS,
    )


def _view(line: Line, matrix: Matrix) -> dict[str, Any]:
    return {
        "line": line,
        "strengths": _by_strength(line.rules),
        "findings": [_shown(f, matrix) for f in line.findings[:MAX_FINDINGS]],
        "more": max(0, len(line.findings) - MAX_FINDINGS),
    }


def _by_strength(rules: Mapping[str, str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for how in ("implements", "supports", "evidence-for"):
        mine = sorted(rule for rule, strength in rules.items() if strength == how)
        if mine:
            out[how] = mine
    return out


def _shown(finding: Finding, matrix: Matrix) -> dict[str, Any]:
    excerpt = matrix.excerpt(finding)
    lines = excerpt.fit(140) if excerpt else None
    return {
        "decision": finding.decision,
        "subject": subject_of(finding.decision),
        "result": finding.result,
        "place": place_of(finding.result),
        "redacted": matrix.is_redacted(finding),
        "line": _line_of(finding.result.source),
        "excerpt": lines,
    }


def _line_of(source: Source | None) -> int | None:
    return source.line if source else None


def excerpts_of(reports: Iterable[Report]) -> dict[tuple[str, str, int], str]:
    """The excerpts of reports, as a matrix takes them."""
    return {
        (report.decision.decision_id, file, line): text
        for report in reports
        for (file, line), text in report.excerpts.items()
    }
