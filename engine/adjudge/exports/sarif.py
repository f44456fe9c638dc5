"""A report in, SARIF 2.1.0 for GitHub code scanning out.

Results are failures, errors, warnings and waived failures (suppressed).  Passes stay out:
code scanning would show them as alerts.  What GitHub demands beyond the standard
(fingerprints, help texts, string severities, limits) is met here; the constants say where.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from adjudge.canonical import sha256_hex
from adjudge.decision.model import RuleResult
from adjudge.exports.escape import clip, markdown, one_line, paragraph, relative_uri, visible
from adjudge.exports.json_ import dumps
from adjudge.exports.report import Group, Report, control_parts, place_of, plural

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
MAX_RESULTS: Final = 25_000
"""Results GitHub accepts per run."""
MAX_GZIP_BYTES: Final = 10_000_000
"""The size GitHub accepts, compressed."""
MAX_TAGS: Final = 20
"""Tags GitHub accepts per rule."""

_LEVELS: Final = {"fail": "error", "error": "error", "warn": "warning", "waived": "warning"}
# GitHub: over 9.0 critical, 7.0 to 8.9 high, 4.0 to 6.9 medium, below low.
_SECURITY_SEVERITY: Final = {
    "critical": "9.5",
    "high": "8.0",
    "medium": "5.5",
    "low": "2.0",
    None: "4.0",
}
_PROBLEM_SEVERITY: Final = {"low": "recommendation", "medium": "warning", None: "warning"}


def render(report: Report) -> str:
    """The log as JSON text; the least urgent results are left out when it would be too large."""
    shown = report.findings[:MAX_RESULTS]
    while True:
        text = dumps(_log(report, shown), indent=1) + "\n"
        if len(text) <= MAX_GZIP_BYTES or not shown:
            return text
        if len(gzip.compress(text.encode(), compresslevel=6, mtime=0)) <= MAX_GZIP_BYTES:
            return text
        shown = shown[: len(shown) // 2]


def _log(report: Report, shown: Sequence[RuleResult]) -> dict[str, Any]:
    rules = _Rules(report)
    results = _results(report, shown, rules)
    decision = report.decision
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "adjudge",
                "version": decision.engine.version,
                "rules": rules.descriptors,
                "supportedTaxonomies": [
                    {"name": taxonomy["name"], "guid": taxonomy["guid"]}
                    for taxonomy in rules.taxonomies
                ],
            }
        },
        "automationDetails": {"id": f"{report.options.category}/{decision.decision_id}"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, len(report.findings) - len(shown))],
        "results": results,
        "properties": {
            "decisionId": decision.decision_id,
            "decisionDigest": decision.digest,
            "outcome": decision.outcome,
            "policyDigest": decision.policy.digest,
        },
    }
    if rules.taxonomies:
        run["taxonomies"] = rules.taxonomies
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


class _Rules:
    """The rule descriptors of all findings, and the taxonomies their controls belong to."""

    def __init__(self, report: Report) -> None:
        by_id: dict[str, list[RuleResult]] = {}
        for result in report.findings:
            by_id.setdefault(result.rule_id, []).append(result)
        self.frameworks: dict[str, list[str]] = {}
        for results in by_id.values():
            for control in Group(tuple(results)).controls:
                framework, requirement = control_parts(control)
                taxa = self.frameworks.setdefault(framework or "controls", [])
                if requirement not in taxa:
                    taxa.append(requirement)
        self.names = sorted(self.frameworks)
        self.index = {rule_id: index for index, rule_id in enumerate(sorted(by_id))}
        self.descriptors = [self._descriptor(Group(tuple(by_id[name]))) for name in self.index]

    @property
    def taxonomies(self) -> list[dict[str, Any]]:
        """One tool component per framework; its taxa are the requirements referred to."""
        return [
            {
                "name": visible(name),
                "guid": str(uuid5(NAMESPACE_URL, f"urn:adjudge:taxonomy:{visible(name)}")),
                "isComprehensive": False,
                "shortDescription": {"text": f"Controls of {one_line(name)}"},
                "taxa": [{"id": visible(taxon)} for taxon in self.frameworks[name]],
            }
            for name in self.names
        ]

    def _descriptor(self, group: Group) -> dict[str, Any]:
        first = group.first
        title = _message(first.title) or one_line(first.rule_id)
        descriptor: dict[str, Any] = {
            "id": visible(first.rule_id),
            "name": visible(first.rule_id),
            "shortDescription": {"text": clip(title, 1000)},
            "fullDescription": {"text": clip(title, 1000)},
            "help": _help(group),
            "defaultConfiguration": {
                "level": "warning" if first.outcome == "warn" else "error",
            },
            "properties": {
                "tags": ["security", "ai-governance", *map(one_line, group.controls)][:MAX_TAGS],
                "precision": "very-high",
                "problem.severity": _PROBLEM_SEVERITY.get(first.severity, "error"),
                "security-severity": _SECURITY_SEVERITY[first.severity],
            },
        }
        if group.controls:
            descriptor["relationships"] = [self._relation(name) for name in group.controls]
        return descriptor

    def _relation(self, control: str) -> dict[str, Any]:
        framework, requirement = control_parts(control)
        name = framework or "controls"
        return {
            "target": {
                "id": visible(requirement),
                "index": self.frameworks[name].index(requirement),
                "toolComponent": {"name": visible(name), "index": self.names.index(name)},
            },
            "kinds": ["relevant"],
        }


def _help(group: Group) -> dict[str, str]:
    first = group.first
    advice = [paragraph(text) for text in group.remediations] or ["See the policy."]
    text = [_message(first.title), *advice]
    rich = [f"**{markdown(first.title)}**", *(markdown(r) for r in group.remediations)]
    if group.controls:
        text.append(f"Controls: {', '.join(map(one_line, group.controls))}")
        rich.append("Controls: " + ", ".join(map(markdown, group.controls)))
    return {"text": "\n\n".join(text), "markdown": "\n\n".join(rich)}


def _results(report: Report, shown: Sequence[RuleResult], rules: _Rules) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    results: list[dict[str, Any]] = []
    for finding in shown:
        fingerprint = _fingerprint(finding, report)
        seen[fingerprint] += 1
        result: dict[str, Any] = {
            "ruleId": visible(finding.rule_id),
            "ruleIndex": rules.index[finding.rule_id],
            "kind": "fail",
            "level": _LEVELS[finding.outcome],
            "message": {"text": _message(finding.message) or _message(finding.title)},
            "locations": [_location(finding, report)],
            "partialFingerprints": {
                "primaryLocationLineHash": f"{fingerprint}:{seen[fingerprint]}"
            },
            "properties": _properties(finding),
        }
        if finding.waiver:
            waiver = finding.waiver
            why = f"{waiver.id} until {waiver.expires[:10]}: {waiver.reason}"
            result["suppressions"] = [
                {"kind": "external", "status": "accepted", "justification": _message(why)}
            ]
        results.append(result)
    return results


def _properties(finding: RuleResult) -> dict[str, Any]:
    properties: dict[str, Any] = {"outcome": finding.outcome}
    if finding.severity:
        properties["severity"] = finding.severity
    if finding.artifact:
        properties["artifact"] = visible(finding.artifact)
    if finding.pointer:
        properties["pointer"] = visible(clip(finding.pointer, 1000))
    return properties


def _location(finding: RuleResult, report: Report) -> dict[str, Any]:
    """Where to show the finding: GitHub shows none without a file in the repository."""
    source = finding.source
    path, line, column = report.options.fallback_path or "release.yaml", 1, 1
    if source:
        path = report.options.path_prefix + source.file
        line, column = source.line, source.column
    elif finding.artifact:
        path = report.options.path_prefix + finding.artifact
    region: dict[str, Any] = {"startLine": line, "startColumn": column, "endLine": line}
    excerpt = report.excerpt(source)
    region["endColumn"] = column + 1
    if excerpt and not excerpt.cut_after and not excerpt.cut_before:
        region["endColumn"] = max(column + 1, len(excerpt.text.rstrip()) + 1)
        region["snippet"] = {"text": visible(excerpt.text)}
    where = place_of(finding)
    return {
        "physicalLocation": {"artifactLocation": {"uri": relative_uri(path)}, "region": region},
        **({"message": {"text": one_line(where)}} if where else {}),
    }


def _fingerprint(finding: RuleResult, report: Report) -> str:
    """What stays the same when lines move: rule, file, and the text or pointer there.

    The message is left out, because it may hold numbers that change every day.
    """
    excerpt = report.excerpt(finding.source)
    spot = "".join(excerpt.text.split()) if excerpt else finding.pointer or ""
    path = finding.source.file if finding.source else finding.artifact or ""
    return sha256_hex(json.dumps([finding.rule_id, path, spot]).encode())[:16]


def _invocation(report: Report, hidden: int) -> dict[str, Any]:
    decision = report.decision
    notes = [
        {
            "descriptor": {"id": visible(degradation.code)},
            "level": "warning",
            "message": {"text": _message(degradation.message)},
        }
        for degradation in decision.degradations
    ]
    if hidden:
        more = plural(hidden, "finding is", "findings are")
        notes.append(
            {
                "descriptor": {"id": "results_left_out"},
                "level": "warning",
                "message": {"text": f"{more} left out to stay within the limits of GitHub."},
            }
        )
    invocation: dict[str, Any] = {
        "executionSuccessful": decision.outcome != "no_verdict",
        "exitCode": decision.exit_code,
        "endTimeUtc": decision.time,
    }
    if notes:
        invocation["toolExecutionNotifications"] = notes
    return invocation


def _message(text: str) -> str:
    """Plain text in which no reader finds an embedded link (SARIF 2.1.0, section 3.11.6)."""
    return paragraph(text).replace("](", "] (")
