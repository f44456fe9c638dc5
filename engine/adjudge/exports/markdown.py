"""A report in, GitHub-flavoured Markdown out: a step summary or a pull request comment.

Everything that is not ours is escaped.  GitHub refuses step summaries over 1 MiB, so
findings that would not fit are counted instead of shown.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len

from adjudge.decision.model import RuleResult
from adjudge.decision.waivers import WaiverNote
from adjudge.exports.escape import markdown, markdown_code, markdown_fence
from adjudge.exports.report import (
    OUTCOME_LABELS,
    Group,
    Report,
    by_rule,
    place_of,
    plural,
)

MAX_BYTES = 1_000_000
"""A little less than the 1 MiB that GitHub accepts per step."""
_DETAILS_BYTES = 800_000

_MARKS = {"allow": "✅", "deny": "❌", "no_verdict": "⚠️"}
_LABELS = {"fail": "fail", "error": "error", "warn": "warning", "waived": "waived"}


def render(report: Report) -> str:
    """The summary, ending in a line end, at most :data:`MAX_BYTES` bytes of UTF-8."""
    tail = "".join(_tail(report))
    text = _head(report) + _findings(report) + tail
    encoded = text.encode()
    if len(encoded) <= MAX_BYTES:
        return text
    # Reached only by thousands of waivers or degradations.
    cut = encoded[: MAX_BYTES - 100].decode(errors="ignore")
    return cut.rpartition("\n")[0] + "\n\n… the rest does not fit a step summary.\n"


def _head(report: Report) -> str:
    decision = report.decision
    mark = _MARKS[decision.outcome]
    context = [decision.context.environment, decision.context.tenant]
    where = "".join(f" · {markdown(part, breaks=False)}" for part in context if part)
    lines = [
        f"## {mark} {report.verdict}: {markdown(report.title, breaks=False)}{where}",
        "",
        f"**{report.sentence}**",
        "",
        _table(
            ("Outcome", "Results", "Rules"),
            [
                (OUTCOME_LABELS[outcome], f"{count:,}", _rules(report.of(outcome)))
                for outcome, count in report.counts.items()
                if count
            ]
            or [("no results", "0", "")],
        ),
    ]
    return "\n".join(lines) + "\n"


def _rules(results: Iterable[RuleResult]) -> str:
    rules = list(by_rule(results))
    names = ", ".join(markdown(rule, breaks=False) for rule in rules[:12])
    return f"{names} and {len(rules) - 12} more" if len(rules) > 12 else names


def _findings(report: Report) -> str:
    """One section per rule, until the space is used up."""
    if not report.groups:
        return ""
    parts = ["\n### Findings\n"]
    used = shown = 0
    for group in report.groups:
        section = _section(group, report)
        used += len(section.encode())
        if used > _DETAILS_BYTES:
            break
        parts.append(section)
        shown += 1
    hidden = sum(len(group.results) for group in report.groups[shown:])
    if hidden:
        more = plural(hidden, "more finding does", "more findings do")
        parts.append(f"\n_{more} not fit here; the full report has them._\n")
    return "".join(parts)


def _section(group: Group, report: Report) -> str:
    """A rule: a table of its findings, the first excerpt, and what to do."""
    first = group.first
    severity = f" {first.severity}" if first.severity else ""
    lines = [
        "",
        f"#### {_LABELS[first.outcome]}{severity} · {markdown(first.rule_id, breaks=False)}:"
        f" {markdown(first.title, breaks=False)}",
        "",
        _told(group),
    ]
    if len(group.results) > 20:
        more = plural(len(group.results) - 20, "more finding")
        lines += ["", f"… and {more} of this rule."]
    excerpt = report.excerpt(first.source)
    if excerpt and first.source:
        before, after = excerpt.fit(100)
        gutter = f"{first.source.line} | "
        caret = " " * (len(gutter) - 2) + "| " + " " * cell_len(before) + "^"
        lines += ["", markdown_fence(f"{gutter}{before}{after}\n{caret}")]
    for remediation in group.remediations:
        lines += ["", f"**What to do:** {markdown(remediation)}"]
    if group.controls:
        lines += ["", "Controls: " + " · ".join(markdown_code(name) for name in group.controls)]
    return "\n".join(lines) + "\n"


def _told(group: Group) -> str:
    """The findings: one as a paragraph, several as a table."""
    told = [
        (markdown(result.message or result.title) + _waived(result), _where(result))
        for result in group.results[:20]
    ]
    return "<br>".join(told[0]) if len(told) == 1 else _table(("Finding", "Where"), told)


def _where(result: RuleResult) -> str:
    place = place_of(result)
    return markdown_code(place) if place else "the release"


def _waived(result: RuleResult) -> str:
    waiver = result.waiver
    if waiver is None:
        return ""
    return (
        f"<br>Waived until {waiver.expires[:10]} by {markdown(waiver.id)}"
        f" ({markdown(waiver.ticket)}, owner {markdown(waiver.owner)}): {markdown(waiver.reason)}"
    )


def _tail(report: Report) -> Iterable[str]:
    decision = report.decision
    if decision.degradations:
        rows = [(markdown_code(d.code), markdown(d.message)) for d in decision.degradations]
        yield "\n### Degraded\n\n" + _table(("What", "Why"), rows) + "\n"
    if decision.obligations:
        rows = [(markdown_code(o.action), markdown(o.rule_id)) for o in decision.obligations]
        yield "\n### Obligations\n\n" + _table(("Do", "Asked by"), rows) + "\n"
    waivers = report.waivers
    groups: tuple[tuple[str, Iterable[WaiverNote]], ...] = (
        ("refused", waivers.refused),
        ("malformed", waivers.malformed),
        ("expired", waivers.expired),
        ("expires soon", waivers.expiring_soon),
        ("unused", waivers.unused),
    )
    rows_of_four = [
        (state, markdown(note.id or "(no id)"), markdown(note.rule or ""), markdown(note.message))
        for state, notes in groups
        for note in notes
    ]
    if rows_of_four:
        table = _table(("State", "Waiver", "Rule", "Why"), rows_of_four)
        yield "\n### Waivers that need attention\n\n" + table + "\n"
    policy = decision.policy
    yield (
        f"\n<sub>Decision <code>{decision.decision_id}</code> at {decision.time}"
        f" · digest <code>{decision.digest}</code>"
        f" · policy {markdown(policy.name, breaks=False)} <code>{policy.digest[:16]}</code></sub>\n"
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table; the cells are Markdown already."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)
