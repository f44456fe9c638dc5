"""Lint findings in; text for people, JSON, SARIF or GitHub annotations out."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from adjudge.canonical import sha256_hex
from adjudge.cli.terminal import safe
from adjudge.exports.escape import (
    command_data,
    command_property,
    defuse_commands,
    one_line,
    relative_uri,
    visible,
)
from adjudge.exports.report import plural
from adjudge.policyset.lint import RULES, Finding, LintReport, counted
from adjudge.source import excerpt
from adjudge.version import __version__

FORMATS: Final = ("console", "json", "sarif", "github")

_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS: Final = {"error": "error", "warning": "warning", "notice": "note"}
_COLORS: Final = {"error": "31;1", "warning": "33;1", "notice": "36;1"}


@dataclass(frozen=True, slots=True)
class Look:
    """How wide the text for people is, in columns, and whether it is coloured."""

    width: int = 100
    color: bool = False

    def paint(self, text: str, color: str) -> str:
        """``text`` in an ANSI colour, where colours are wanted."""
        return f"\x1b[{color}m{text}\x1b[0m" if self.color else text


def render(report: LintReport, format_: str, look: Look) -> str:
    """The report in one of :data:`FORMATS`, with a line end at its end."""
    if format_ == "json":
        return _json(_document(report))
    if format_ == "sarif":
        return _json(_sarif(report))
    if format_ == "github":
        return "".join(f"{line}\n" for line in _github(report))
    return "".join(f"{line}\n" for line in _console(report, look))


def listing(format_: str, look: Look) -> str:
    """The rules of the linter, as JSON or as text."""
    if format_ != "console":
        rules = [
            {"code": r.code, "severity": r.severity, "summary": r.summary, "why": r.why}
            for r in RULES.values()
        ]
        return _json(rules)
    lines = []
    for rule in RULES.values():
        severity = look.paint(f"{rule.severity:<8}", _COLORS[rule.severity])
        lines += [f"{severity} {look.paint(rule.code, '1')}"]
        lines += _wrapped(f"{rule.summary}. {rule.why}", look.width, "         ")
    return "".join(f"{line}\n" for line in lines)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


# -- people --------------------------------------------------------------------------------------


def _console(report: LintReport, look: Look) -> Iterator[str]:
    for finding in report.findings:
        yield from _shown(finding, look)
        yield ""
    yield _summary(report, look)


def _shown(finding: Finding, look: Look) -> Iterator[str]:
    place = f"{finding.location}: " if finding.location else ""
    severity = look.paint(finding.severity, _COLORS[finding.severity])
    yield defuse_commands(f"{safe(place)}{severity} {look.paint(finding.code, '1')}")
    yield from _wrapped(safe(finding.message), look.width, "  ")
    if finding.source is not None and finding.location is not None and finding.location.row:
        gutter = len(f"  {finding.location.row} | ")
        shown = excerpt(finding.source.expandtabs(1), finding.location, look.width - gutter)
        yield from (defuse_commands(line) for line in shown.split("\n"))
    if finding.hint:
        yield from _wrapped(f"fix: {safe(finding.hint)}", look.width, "  ", "       ")


def _wrapped(text: str, width: int, first: str, rest: str | None = None) -> list[str]:
    indent = first if rest is None else rest
    lines: list[str] = []
    for line in text.split("\n"):
        lines += textwrap.wrap(
            line,
            width,
            initial_indent=indent if lines else first,
            subsequent_indent=indent,
            break_on_hyphens=False,
        )
    return [defuse_commands(line) for line in lines]


def _summary(report: LintReport, look: Look) -> str:
    counts = counted(report.findings)
    told = [plural(n, severity) for severity, n in counts.items() if n]
    files = plural(report.files, "file")
    if not told:
        return look.paint(f"Nothing found in {files}.", "32;1")
    text = f"{', '.join(told)} in {files}."
    if not report.whole:
        text = f"{', '.join(told)}; the other checks wait until the policies compile."
    return look.paint(text, "1")


# -- programs ------------------------------------------------------------------------------------


def _document(report: LintReport) -> dict[str, Any]:
    return {
        "findings": [_record(f) for f in report.findings],
        "summary": {**counted(report.findings), "files": report.files, "compiled": report.whole},
    }


def _record(finding: Finding) -> dict[str, Any]:
    out: dict[str, Any] = {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
    }
    if finding.location is not None:
        file, row, col = finding.location
        out["location"] = {"file": file, "row": row, "col": col}
    if finding.hint:
        out["hint"] = finding.hint
    return out


def _github(report: LintReport) -> Iterator[str]:
    for finding in report.findings:
        properties = []
        if finding.location is not None:
            file, row, col = finding.location
            properties += [f"file={command_property(visible(file))}"]
            properties += [f"line={max(row, 1)}", f"col={max(col, 1)}"]
        properties.append(f"title={command_property(finding.code)}")
        fix = f"\nFix: {finding.hint}" if finding.hint else ""
        text = command_data(f"{finding.message}{fix}")
        yield f"::{finding.severity} {','.join(properties)}::{text}"
    yield f"adjudge lint: {_summary(report, Look())}"


def _sarif(report: LintReport) -> dict[str, Any]:
    codes = sorted({f.code for f in report.findings})
    driver = {
        "name": "adjudge lint",
        "version": __version__,
        "rules": [_descriptor(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(f, codes.index(f.code)) for f in report.findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _descriptor(code: str) -> dict[str, Any]:
    rule = RULES.get(code)
    if rule is None:
        return {"id": code, "shortDescription": {"text": "the policy does not compile"}}
    return {
        "id": code,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.why},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    fix = f" Fix: {finding.hint}" if finding.hint else ""
    text = one_line(f"{finding.message}.{fix}", 2_000).replace("](", "] (")
    out: dict[str, Any] = {
        "ruleId": visible(finding.code),
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
    }
    if finding.location is not None:
        file, row, col = finding.location
        region = {"startLine": max(row, 1), "startColumn": max(col, 1)}
        physical = {"artifactLocation": {"uri": relative_uri(file)}, "region": region}
        out["locations"] = [{"physicalLocation": physical}]
        # Lines move; what stands on them stays the same.
        line = "".join((finding.source or finding.message).split())
        mark = sha256_hex(json.dumps([finding.code, file, line]).encode())[:16]
        out["partialFingerprints"] = {"primaryLocationLineHash": f"{mark}:1"}
    return out
