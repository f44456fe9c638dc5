"""A report in, GitHub workflow commands out, one per line: they annotate the changed files.

GitHub shows ten annotations of a type per step.  So the ten most urgent findings are
annotated, and one line says how many are left, which the step summary shows.
"""

from __future__ import annotations

from adjudge.decision.model import RuleResult
from adjudge.exports.escape import command_data, command_property, one_line, visible
from adjudge.exports.report import Report, plural

PER_TYPE = 10
"""How many annotations of one type GitHub shows per step."""

_COMMANDS = {"fail": "error", "error": "error", "warn": "warning", "waived": "notice"}


def render(report: Report) -> str:
    """Workflow commands for the findings, then one line that sums up."""
    lines: list[str] = []
    for command in ("error", "warning", "notice"):
        findings = [r for r in report.findings if _COMMANDS[r.outcome] == command]
        lines.extend(_annotation(command, result, report) for result in findings[:PER_TYPE])
        hidden = len(findings) - PER_TYPE
        if hidden > 0:
            more = plural(hidden, f"more {command}")
            lines.append(f"adjudge: {more} not annotated here; the report has them all")
    counts = ", ".join(f"{count} {name}" for name, count in report.counts.items() if count)
    verdict = f"{report.verdict}: {one_line(report.title)}"
    # After a word of ours, so that no title can begin a command.
    lines.append(f"adjudge: {verdict.replace('##[', '# #[')} ({counts or 'no results'})")
    return "\n".join(lines) + "\n"


def _annotation(command: str, result: RuleResult, report: Report) -> str:
    properties: list[tuple[str, str]] = []
    path, line, column = annotated_place(result, report)
    if path:
        properties.append(("file", path))
        properties.append(("line", str(line)))
        if column:
            properties.append(("col", str(column)))
    severity = f" ({result.severity})" if result.severity else ""
    waived = "waived: " if result.outcome == "waived" else ""
    properties.append(("title", f"{waived}{result.rule_id}{severity} {result.title}"))
    message = result.message or result.title
    if result.waiver:
        message += f"\nWaived by {result.waiver.id} until {result.waiver.expires[:10]}."
    elif result.remediation:
        message += f"\nFix: {result.remediation}"
    written = ",".join(f"{name}={command_property(value)}" for name, value in properties)
    return f"::{command} {written}::{command_data(message)}"


def annotated_place(result: RuleResult, report: Report) -> tuple[str | None, int, int | None]:
    """Path from the root of the repository, line and column (if known) to annotate.

    A finding without a file stands at the release manifest, if the caller named it.
    """
    prefix = report.options.path_prefix
    if result.source:
        return prefix + visible(result.source.file), result.source.line, result.source.column
    if result.artifact:
        return prefix + visible(result.artifact), 1, None
    return report.options.fallback_path, 1, None
