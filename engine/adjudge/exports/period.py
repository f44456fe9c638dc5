"""Many decisions in, one summary of a period out, as HTML, JSON or CSV.

The summary is computed once, by :func:`summarise`; the renderers show it.  Its JSON form
is ``adjudge.period/v1``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from adjudge.decision.model import Decision, RuleResult
from adjudge.decision.times import parse_time
from adjudge.errors import UsageError
from adjudge.exports.csv_ import rows_text
from adjudge.exports.html import page
from adjudge.exports.json_ import dumps
from adjudge.exports.report import OUTCOME_LABELS, OUTCOMES, VERDICTS, control_parts

SCHEMA_ID: Final = "adjudge.period/v1"


def _zero_outcomes() -> dict[str, int]:
    return dict.fromkeys(OUTCOMES, 0)


def _zero_verdicts() -> dict[str, int]:
    return dict.fromkeys(VERDICTS, 0)


@dataclass(slots=True)
class RuleLine:
    """One rule over the period: how its results came out, in how many decisions."""

    rule_id: str
    title: str
    severity: str | None
    results: dict[str, int] = field(default_factory=_zero_outcomes)
    decisions: int = 0


@dataclass(slots=True)
class ControlLine:
    """One control over the period, with the decisions that are evidence for it."""

    control: str
    framework: str
    requirement: str
    results: dict[str, int] = field(default_factory=_zero_outcomes)
    decision_ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SubjectLine:
    """One subject over the period, with its latest decision."""

    name: str
    outcomes: dict[str, int] = field(default_factory=_zero_verdicts)
    last_decision_id: str = ""
    last_time: str = ""
    last_outcome: str = ""


@dataclass(slots=True)
class DecisionLine:
    """One decision of the period."""

    decision_id: str
    time: str
    outcome: str
    subject: str
    environment: str | None
    tenant: str | None
    results: dict[str, int]
    policy_digest: str
    digest: str


@dataclass(frozen=True)
class Summary:
    """A period: its decisions, oldest first, counted by outcome, rule, control and subject."""

    since: str | None
    until: str | None
    outcomes: dict[str, int]
    results: dict[str, int]
    rules: list[RuleLine]
    controls: list[ControlLine]
    subjects: list[SubjectLine]
    decisions: list[DecisionLine]
    records: tuple[Decision, ...]

    def document(self) -> dict[str, Any]:
        """The summary as JSON-like data, without the records themselves."""
        lines = {
            name: [asdict(line) for line in getattr(self, name)]
            for name in ("rules", "controls", "subjects", "decisions")
        }
        return {
            "schema": SCHEMA_ID,
            "since": self.since,
            "until": self.until,
            "outcomes": self.outcomes,
            "results": self.results,
            **lines,
        }


def summarise(
    decisions: Iterable[Decision], since: str | None = None, until: str | None = None
) -> Summary:
    """The summary of decisions; ``since`` and ``until`` are what was asked for, as text.

    The decisions are taken as given, not filtered.
    """
    records = tuple(sorted(decisions, key=lambda d: (parse_time(d.time), d.decision_id)))
    tally = _Tally()
    for record in records:
        tally.add(record)
    return Summary(
        since=since,
        until=until,
        outcomes=tally.outcomes,
        results=tally.results,
        rules=sorted(tally.rules.values(), key=lambda line: (_trouble(line.results), line.rule_id)),
        controls=sorted(tally.controls.values(), key=lambda line: (line.framework, line.control)),
        subjects=sorted(tally.subjects.values(), key=lambda line: line.name),
        decisions=tally.lines,
        records=records,
    )


class _Tally:
    def __init__(self) -> None:
        self.outcomes = _zero_verdicts()
        self.results = _zero_outcomes()
        self.rules: dict[str, RuleLine] = {}
        self.controls: dict[str, ControlLine] = {}
        self.subjects: dict[str, SubjectLine] = {}
        self.lines: list[DecisionLine] = []

    def add(self, decision: Decision) -> None:
        """Counts one decision; decisions come oldest first."""
        self.outcomes[decision.outcome] += 1
        counts = _zero_outcomes()
        seen: set[str] = set()
        for result in decision.results:
            counts[result.outcome] += 1
            self.results[result.outcome] += 1
            self._rule(result, seen)
            for control in dict.fromkeys(result.controls):
                self._control(control, result, decision)
        self._subject(decision)
        self.lines.append(
            DecisionLine(
                decision_id=decision.decision_id,
                time=decision.time,
                outcome=decision.outcome,
                subject=_subject_name(decision),
                environment=decision.context.environment,
                tenant=decision.context.tenant,
                results=counts,
                policy_digest=decision.policy.digest,
                digest=decision.digest,
            )
        )

    def _rule(self, result: RuleResult, seen: set[str]) -> None:
        line = self.rules.setdefault(
            result.rule_id, RuleLine(result.rule_id, result.title, result.severity)
        )
        line.title, line.severity = result.title, result.severity
        line.results[result.outcome] += 1
        if result.rule_id not in seen:
            seen.add(result.rule_id)
            line.decisions += 1

    def _control(self, control: str, result: RuleResult, decision: Decision) -> None:
        line = self.controls.get(control)
        if line is None:
            line = self.controls[control] = ControlLine(control, *control_parts(control))
        line.results[result.outcome] += 1
        if line.decision_ids[-1:] != [decision.decision_id]:
            line.decision_ids.append(decision.decision_id)

    def _subject(self, decision: Decision) -> None:
        name = _subject_name(decision)
        line = self.subjects.setdefault(name, SubjectLine(name))
        line.outcomes[decision.outcome] += 1
        line.last_decision_id = decision.decision_id
        line.last_time = decision.time
        line.last_outcome = decision.outcome


def _subject_name(decision: Decision) -> str:
    """The release, else the paths of what was judged."""
    names = [s.name for s in decision.subject if s.kind == "release"]
    names = names or [s.path or s.name for s in decision.subject]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _trouble(results: Mapping[str, int]) -> tuple[int, ...]:
    """Most failures first."""
    return tuple(-results[name] for name in ("fail", "error", "warn", "waived"))


def render(summary: Summary, format: str) -> str:
    """The summary in one of :data:`FORMATS`.  Raises :class:`UsageError` for another."""
    renderer = FORMATS.get(format)
    if renderer is None:
        raise UsageError(
            "output_format_unknown",
            f"no such report format: {format[:50]}",
            hint=f"use one of: {', '.join(FORMATS)}",
        )
    return renderer(summary)


def render_json(summary: Summary) -> str:
    """The summary as indented JSON."""
    return dumps(summary.document(), indent=2) + "\n"


def render_csv(summary: Summary) -> str:
    """Every rule result of the period, one per row."""
    return rows_text(summary.records)


def render_html(summary: Summary) -> str:
    """One self-contained page."""
    frameworks: dict[str, list[ControlLine]] = {}
    for line in summary.controls:
        frameworks.setdefault(line.framework or "other", []).append(line)
    return page(
        "period.html.j2",
        summary.document(),
        summary=summary,
        frameworks=frameworks,
        verdicts=VERDICTS,
        labels=OUTCOME_LABELS,
        total=len(summary.records),
    )


FORMATS: Final[Mapping[str, Callable[[Summary], str]]] = {
    "html": render_html,
    "json": render_json,
    "csv": render_csv,
}
