"""A matrix of controls in, OSCAL Assessment Results (1.2) as JSON-like data out.

Identifiers are version 5 UUIDs of what they stand for, so the same decisions give the same
document.  Every decision is a resource with its digest, every rule result an observation, every
control that was looked at a finding.  What OSCAL has no member for stands in ``props`` with a
namespace of our own.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any, Final

from adjudge.decision.model import Decision
from adjudge.exports.compliance import Finding, Line, Matrix, matrix_of
from adjudge.exports.json_ import dumps
from adjudge.exports.report import Report, place_of
from adjudge.version import __version__

OSCAL_VERSION: Final = "1.2.1"
NAMESPACE: Final = "urn:adjudge:oscal"
_UUIDS: Final = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)
_METHODS: Final = {True: "TEST", False: "EXAMINE"}
_REASONS: Final = {"failing": "fail", "waived": "other", "evidenced": "pass"}


def render(report: Report) -> str:
    """The document about one decision."""
    return text(matrix_of(report))


def text(matrix: Matrix) -> str:
    """The document as JSON text."""
    return dumps(assessment_results(matrix), indent=2) + "\n"


def assessment_results(matrix: Matrix) -> dict[str, Any]:
    """The document.  Without decisions there is nothing to assess, and it has no findings."""
    decisions = sorted(matrix.decisions, key=lambda d: (d.time, d.decision_id))
    seed = "\n".join([matrix.framework.id, *(d.digest for d in decisions)])
    last = max((d.time for d in decisions), default="1970-01-01T00:00:00Z")
    first = min((d.time for d in decisions), default=last)
    plan = _uuid("plan", matrix.framework.id)
    meta = matrix.framework.metadata
    return {
        "assessment-results": {
            "uuid": _uuid("document", seed),
            "metadata": {
                "title": f"{meta.title}: what adjudge found",
                "last-modified": last,
                "version": _uuid("version", seed),
                "oscal-version": OSCAL_VERSION,
                "props": [_prop("generator", f"adjudge {__version__}")],
            },
            "import-ap": {"href": f"#{plan}"},
            "results": [_result(matrix, seed, first, last)],
            "back-matter": {
                "resources": [
                    {
                        "uuid": plan,
                        "title": f"{meta.title} ({meta.edition})",
                        "description": "The rules that stand to its controls, as policies.",
                    },
                    *(_resource(d) for d in decisions),
                ]
            },
        }
    }


def _result(matrix: Matrix, seed: str, first: str, last: str) -> dict[str, Any]:
    exercised = [line for line in matrix.lines if line.latest]
    result: dict[str, Any] = {
        "uuid": _uuid("result", seed),
        "title": f"{matrix.framework.metadata.title} over {len(matrix.decisions)} decisions",
        "description": "What holds is told from the latest decision about each subject.",
        "start": first,
        "end": last,
        "props": [_prop(f"controls-{state}", str(n)) for state, n in matrix.states.items()],
        "reviewed-controls": {"control-selections": [_selection(matrix, exercised)]},
    }
    observations = {
        o["uuid"]: o for line in exercised for f in line.latest for o in [_observation(f)]
    }
    if observations:
        result["observations"] = list(observations.values())
        result["findings"] = [_finding(line, seed) for line in exercised]
    return result


def _selection(matrix: Matrix, exercised: list[Line]) -> dict[str, Any]:
    selection: dict[str, Any] = {
        "description": "Controls that a rule stands to and that something was looked at for.",
        "props": [
            _prop("not-looked-at", line.name, remarks=line.state)
            for line in matrix.lines
            if not line.latest
        ],
    }
    if exercised:
        selection["include-controls"] = [{"control-id": _token(line.name)} for line in exercised]
    else:
        # The only way to say that none was.
        selection["include-all"] = {}
        selection["exclude-controls"] = [{"control-id": _token(n.name)} for n in matrix.lines]
    return {key: value for key, value in selection.items() if value != []}


def _observation(finding: Finding) -> dict[str, Any]:
    decision, result = finding.decision, finding.result
    place = place_of(result)
    out: dict[str, Any] = {
        "uuid": _observation_id(finding),
        "title": _text(f"{result.rule_id} {result.title}"),
        "description": _text(result.message or f"{result.outcome}: {result.title}"),
        "methods": [_METHODS[result.artifact is not None]],
        "props": [
            _prop("rule", result.rule_id),
            _prop("outcome", result.outcome),
            *([_prop("severity", result.severity)] if result.severity else []),
            *([_prop("source", place)] if place else []),
        ],
        "relevant-evidence": [
            {
                "href": f"#{_uuid('decision', decision.digest)}",
                "description": f"decision {decision.decision_id}, sha256:{decision.digest}",
            }
        ],
        "collected": decision.time,
    }
    return out


def _finding(line: Line, seed: str) -> dict[str, Any]:
    state = line.state
    satisfied = state == "evidenced"
    remarks = {
        "evidenced": "Evidence towards the control; whether it is enough, people decide.",
        "waived": "A failure is accepted for a time by a waiver.",
    }
    return {
        "uuid": _uuid("finding", f"{seed}\n{line.name}"),
        "title": _text(line.control.title),
        "description": _text(f"{line.name}: {state.replace('_', ' ')}"),
        "props": [_prop(f"rule-{how}", rule) for rule, how in sorted(line.rules.items())],
        "target": {
            "type": "objective-id",
            "target-id": _token(line.name),
            "status": {
                "state": "satisfied" if satisfied else "not-satisfied",
                "reason": _REASONS[state],
                **({"remarks": remarks[state]} if state in remarks else {}),
            },
        },
        "related-observations": [{"observation-uuid": i} for i in dict.fromkeys(_ids(line))],
    }


def _ids(line: Line) -> Iterator[str]:
    return (_observation_id(f) for f in line.latest)


def _observation_id(finding: Finding) -> str:
    result = finding.result
    parts = [
        finding.decision.digest,
        result.rule_id,
        result.outcome,
        result.artifact or "",
        result.pointer or "",
        result.message,
        str(result.location),
    ]
    return _uuid("observation", "\n".join(parts))


def _resource(decision: Decision) -> dict[str, Any]:
    return {
        "uuid": _uuid("decision", decision.digest),
        "title": f"decision {decision.decision_id}",
        "description": f"{decision.outcome} at {decision.time} by {_text(decision.policy.name)}",
        "props": [
            _prop("decision-id", decision.decision_id),
            _prop("outcome", decision.outcome),
            _prop("policy-digest", f"sha256:{decision.policy.digest}"),
        ],
        "rlinks": [
            {
                "href": f"urn:uuid:{decision.decision_id}",
                "media-type": "application/json",
                "hashes": [{"algorithm": "SHA-256", "value": decision.digest}],
            }
        ],
    }


def _prop(name: str, value: str, remarks: str | None = None) -> dict[str, str]:
    prop = {"name": _token(name), "ns": NAMESPACE, "value": _text(value)}
    return prop if remarks is None else {**prop, "remarks": remarks}


def _token(text: str) -> str:
    """OSCAL's token: letters, digits, dots, hyphens and underscores, not a digit first."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", text)
    return plain if re.match("[A-Za-z_]", plain) else f"_{plain}"


def _text(text: str) -> str:
    """One line with something on it and no space around it, as OSCAL's strings have to be."""
    return " ".join(text.split()) or "-"


def _uuid(kind: str, text: str) -> str:
    return str(uuid.uuid5(_UUIDS, f"{kind}:{text}"))
