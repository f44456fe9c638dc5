"""A decision and what surrounds it in, the view that every exporter shows out.

Exporters only render.  What is counted, in which order findings are shown, which line
of a file may be quoted: all that is settled here, once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Final

from adjudge.decision.model import Decision, Evidence, RuleResult, Source, Subject
from adjudge.decision.redaction import RedactionPolicy
from adjudge.decision.waivers import WaiverReport
from adjudge.exports.excerpt import Excerpt, cut_excerpt
from adjudge.exports.framework import Framework

OUTCOMES: Final = ("fail", "error", "warn", "waived", "pass", "not_applicable")
"""The outcomes of a rule in the order they are shown."""
FINDINGS: Final = ("fail", "error", "warn", "waived")
"""The outcomes that people should look at."""
SEVERITIES: Final = ("critical", "high", "medium", "low", None)

VERDICTS: Final[Mapping[str, str]] = {
    "allow": "Allowed",
    "deny": "Denied",
    "no_verdict": "No verdict",
}
OUTCOME_LABELS: Final[Mapping[str, str]] = {
    "fail": "failed",
    "error": "error",
    "warn": "warning",
    "waived": "waived",
    "pass": "passed",
    "not_applicable": "not applicable",
}


@dataclass(frozen=True, slots=True)
class Options:
    """How to render.  Every exporter takes what concerns it."""

    verbose: bool = False
    """Show passes and everything else that is usually summed up."""
    color: bool = False
    width: int = 80
    unicode: bool = True
    """Whether the output may hold characters beyond ASCII that we choose ourselves."""
    path_prefix: str = ""
    """From the root of the repository to the judged root, for SARIF and annotations."""
    fallback_path: str | None = None
    """The file (from the root of the repository) that stands for findings without one."""
    category: str = "adjudge"
    """What tells several analyses of one commit apart in GitHub code scanning."""


@dataclass(frozen=True)
class Group:
    """The findings of one rule with one outcome, in order."""

    results: tuple[RuleResult, ...]

    @property
    def first(self) -> RuleResult:
        """The result that speaks for what all have in common: rule, title, severity."""
        return self.results[0]

    @property
    def remediations(self) -> tuple[str, ...]:
        """The distinct pieces of advice, in order."""
        return tuple(dict.fromkeys(r.remediation for r in self.results if r.remediation.strip()))

    @property
    def controls(self) -> tuple[str, ...]:
        """The distinct controls, in order."""
        return tuple(dict.fromkeys(c for r in self.results for c in r.controls))


@dataclass(frozen=True)
class Report:
    """One decision with what a reader needs beside it.

    ``excerpts`` maps (file, line) to the text of that line.  Lines that hold a redacted
    value are not quoted, and secret-looking text in the others is replaced.
    """

    decision: Decision
    waivers: WaiverReport = field(default_factory=WaiverReport)
    excerpts: Mapping[tuple[str, int], str] = field(default_factory=dict)
    options: Options = field(default_factory=Options)
    redaction: RedactionPolicy = field(default_factory=RedactionPolicy)
    framework: Framework | None = None
    """Whose controls the formats ``compliance`` and ``oscal`` are about."""
    _spans: dict[tuple[str, int], list[tuple[int, int, str]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many results there are of each of :data:`OUTCOMES`."""
        counts = dict.fromkeys(OUTCOMES, 0)
        for result in self.decision.results:
            counts[result.outcome] += 1
        return counts

    @cached_property
    def blocking(self) -> int:
        """How many results block."""
        warnings = self.counts["warn"] if self.decision.context.fail_on == "warn" else 0
        return self.counts["fail"] + self.counts["error"] + warnings

    @cached_property
    def findings(self) -> tuple[RuleResult, ...]:
        """Everything but passes and rules that did not apply, the most urgent first."""
        wanted = (r for r in self.decision.results if r.outcome in FINDINGS)
        return tuple(sorted(wanted, key=_urgency))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The findings by rule and outcome, the most urgent first."""
        return tuple(
            Group(tuple(results))
            for _, results in groupby(self.findings, key=lambda r: (*_urgency(r)[:2], r.rule_id))
        )

    def of(self, *outcomes: str) -> tuple[RuleResult, ...]:
        """The results with one of these outcomes, in the order of the record."""
        return tuple(r for r in self.decision.results if r.outcome in outcomes)

    @cached_property
    def subject(self) -> Subject | None:
        """What the decision is about: the release, or the only artifact."""
        subjects = self.decision.subject
        release = next((s for s in subjects if s.kind == "release"), None)
        return release or (subjects[0] if len(subjects) == 1 else None)

    @property
    def title(self) -> str:
        """What the decision is about, in a few words."""
        if self.subject is not None:
            return self.subject.name
        count = len(self.decision.subject)
        return f"{count} artifacts" if count else "nothing"

    @property
    def verdict(self) -> str:
        """``Allowed``, ``Denied`` or ``No verdict``."""
        return VERDICTS[self.decision.outcome]

    @property
    def sentence(self) -> str:
        """Why, in one sentence."""
        what = " this release" if self.subject and self.subject.kind == "release" else ""
        if self.decision.outcome == "deny" and self.blocking:
            return plural(self.blocking, "finding blocks", "findings block") + f"{what}."
        if self.decision.outcome == "allow":
            waived = self.counts["waived"]
            covered = f" {plural(waived, 'failure is', 'failures are')} waived." if waived else ""
            return f"Nothing blocks{what}.{covered}"
        return REASONS.get(self.decision.reason_codes[:1], "Nothing could be decided.")

    def excerpt(self, source: Source | None) -> Excerpt | None:
        """The line a finding points at, if it is known and may be shown."""
        if source is None or self.is_redacted(source):
            return None
        line = self.excerpts.get((source.file, source.line))
        if line is None:
            return None
        return cut_excerpt(line.rstrip("\r\n"), source.column, self._secrets(source, line))

    def _secrets(self, source: Source, line: str) -> list[tuple[int, int, str]]:
        """Where the line has secret-looking text; looked for once per line."""
        place = (source.file, source.line)
        spans = self._spans.get(place)
        if spans is None:
            spans = self._spans[place] = self.redaction.secret_spans(line)
        return spans

    def is_redacted(self, source: Source | None) -> bool:
        """Whether the line is withheld because a value in it is."""
        return source is not None and (source.file, source.line) in self._redacted_lines

    @cached_property
    def _redacted_lines(self) -> frozenset[tuple[str, int]]:
        return frozenset(
            (item.source.file, item.source.line)
            for result in self.decision.results
            for item in result.evidence
            if item.recorded == "redacted" and item.source
        )


REASONS: Final[Mapping[tuple[str, ...], str]] = {
    ("no_rules_evaluated",): "No rule applied to anything, so nothing was decided.",
    ("input_invalid",): "The input could not be read, so nothing was decided.",
    ("policy_invalid",): "The policies do not compile, so nothing was decided.",
    ("limit_exceeded",): "A limit was exceeded before a decision was reached.",
    ("timeout",): "Time ran out before a decision was reached.",
    ("stale_policy",): "The policies are too old to decide with.",
    ("unknown_tenant",): "The tenant is not known.",
    ("not_released",): "No release decision admits what was asked for.",
    ("revoked",): "The release decision that admitted this was revoked.",
    ("ledger_unavailable",): "The ledger that is required could not be written to.",
}


def lines_wanted(decision: Decision) -> frozenset[tuple[str, int]]:
    """The (file, line) pairs a report of the decision may quote: the keys for ``excerpts``."""
    return frozenset(
        (result.source.file, result.source.line)
        for result in decision.results
        if result.outcome in FINDINGS and result.source
    )


def place_of(result: RuleResult) -> str:
    """Where a result points, for people: ``file:line:column``, a path, or empty."""
    if result.source:
        return f"{result.source.file}:{result.source.line}:{result.source.column}"
    return result.artifact or ""


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 finding``, ``2 findings``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def control_parts(control: str) -> tuple[str, str]:
    """``eu-ai-act/13.3.b`` as framework and requirement; no slash means no framework."""
    framework, slash, requirement = control.partition("/")
    return (framework, requirement) if slash else ("", control)


def by_rule(results: Iterable[RuleResult]) -> dict[str, list[RuleResult]]:
    """Results by rule id, both in the order given."""
    rules: dict[str, list[RuleResult]] = {}
    for result in results:
        rules.setdefault(result.rule_id, []).append(result)
    return rules


def evidence_text(item: Evidence, limit: int = 200) -> str:
    """What is recorded of a value, in a few words for people."""
    if item.recorded == "value":
        text = json.dumps(item.value, ensure_ascii=False)
        if isinstance(item.value, dict) and item.value.keys() == {"$number"}:
            text = str(item.value["$number"])
        return text if len(text) <= limit else f"{text[: limit - 1]}…"
    if item.recorded == "digest":
        return f"sha256 {item.digest}"
    return f"redacted: {item.redacted}" if item.recorded == "redacted" else "nothing there"


def _urgency(result: RuleResult) -> tuple[int, int, str, str, tuple[str, int, int], str]:
    source = result.source
    return (
        OUTCOMES.index(result.outcome),
        SEVERITIES.index(result.severity),
        result.rule_id,
        result.artifact or "",
        (source.file, source.line, source.column) if source else ("", 0, 0),
        result.message,
    )
