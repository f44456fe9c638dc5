"""A report in, JUnit XML out: one test case per policy package, rule and artifact.

Failures and warnings that block are ``failure``, errors are ``error``, waived and not
applicable are ``skipped``.  Several findings of one rule in one artifact are one case.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree

from adjudge.decision.model import RuleResult
from adjudge.exports.escape import defuse_markup, one_line, paragraph
from adjudge.exports.report import OUTCOMES, Report, place_of

# What XML 1.0 cannot hold is spelled out already; this is what is left (section 2.2).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """The XML document, UTF-8 declared, ending in a line end."""
    root = ElementTree.Element("testsuites", name=_text(f"adjudge {report.title}"))
    totals = Counter[str]()
    for package, cases in _cases(report).items():
        suite = ElementTree.SubElement(root, "testsuite", name=_text(package))
        _properties(suite, report)
        counts = Counter(_case(suite, results, report) for results in cases)
        counts["tests"] = len(cases)
        _set_counts(suite, counts)
        suite.set("time", "0")
        suite.set("timestamp", report.decision.time.rstrip("Z"))
        totals += counts
    _set_counts(root, totals)
    ElementTree.indent(root)
    body = defuse_markup(ElementTree.tostring(root, encoding="unicode"))
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _set_counts(element: ElementTree.Element, counts: Counter[str]) -> None:
    for name in ("tests", "failures", "errors", "skipped"):
        element.set(name, str(counts[name]))


def _cases(report: Report) -> dict[str, list[list[RuleResult]]]:
    """The results of one rule about one artifact together, by package."""
    grouped: dict[tuple[str, str, str], list[RuleResult]] = {}
    for result in report.decision.results:
        key = (result.package, result.rule_id, result.artifact or "")
        grouped.setdefault(key, []).append(result)
    packages: dict[str, list[list[RuleResult]]] = {}
    for (package, _, _), results in sorted(grouped.items(), key=lambda pair: pair[0]):
        packages.setdefault(package, []).append(results)
    return packages


def _properties(suite: ElementTree.Element, report: Report) -> None:
    properties = ElementTree.SubElement(suite, "properties")
    decision = report.decision
    for name, value in (
        ("decision_id", decision.decision_id),
        ("decision_digest", decision.digest),
        ("outcome", decision.outcome),
        ("policy_digest", decision.policy.digest),
    ):
        ElementTree.SubElement(properties, "property", name=name, value=value)


def _case(suite: ElementTree.Element, results: Sequence[RuleResult], report: Report) -> str:
    """Adds the case; returns the counter it belongs to."""
    first = min(results, key=lambda r: OUTCOMES.index(r.outcome))
    artifact = f" [{first.artifact}]" if first.artifact else ""
    name = _text(f"{first.rule_id}: {first.title}{artifact}")
    case = ElementTree.SubElement(
        suite, "testcase", name=name, classname=_text(first.package), time="0"
    )
    if first.artifact:
        case.set("file", _text(first.artifact))
    if first.source:
        case.set("line", str(first.source.line))
    tag, counter = _verdict(first, report)
    if tag == "skipped":
        message = first.outcome.replace("_", " ")
        if first.waiver:
            message = f"waived by {first.waiver.id}: {first.waiver.reason}"
        ElementTree.SubElement(case, tag, message=_text(message))
    elif tag:
        element = ElementTree.SubElement(
            case, tag, message=_text(first.message), type=first.outcome
        )
        element.text = _story([r for r in results if r.outcome == first.outcome])
    warnings = [r for r in results if r.outcome == "warn"]
    if warnings and tag != "failure":
        ElementTree.SubElement(case, "system-out").text = _story(warnings)
    return counter


def _verdict(first: RuleResult, report: Report) -> tuple[str | None, str]:
    """The element that tells the outcome of a case, and the counter it belongs to."""
    if first.outcome == "error":
        return "error", "errors"
    if first.outcome in ("waived", "not_applicable"):
        return "skipped", "skipped"
    if first.outcome == "fail" or (
        first.outcome == "warn" and report.decision.context.fail_on == "warn"
    ):
        return "failure", "failures"
    return None, "passed"


def _story(results: Sequence[RuleResult]) -> str:
    """Message, place and advice of each finding."""
    parts = []
    for result in results:
        lines = [paragraph(result.message)]
        if place_of(result):
            lines.append(f"  at {one_line(place_of(result))}")
        if result.remediation:
            lines.append(f"  fix: {one_line(result.remediation)}")
        parts.append("\n".join(lines))
    return _NOT_XML.sub("\ufffd", "\n\n".join(parts))


def _text(text: str) -> str:
    """An attribute value: one line, without what XML cannot hold."""
    return _NOT_XML.sub("\ufffd", one_line(text))
