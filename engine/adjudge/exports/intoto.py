"""A decision in, an in-toto statement about what it judged out.

Three predicates, as their specifications have them: the SLSA Verification Summary (allow and
deny), the Simple Verification Result (allow only: it has no way to say no) and the Test Result.
Each holds ``adjudge_decision``, our extension field: the decision's id, digest, outcome and
time.  The statement is not signed here; :mod:`adjudge.trust.signing` does that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from adjudge.canonical import canonical_bytes
from adjudge.decision.model import Decision, RuleOutcome, RuleResult, Subject
from adjudge.errors import UsageError

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
VSA: Final = "https://slsa.dev/verification_summary/v1"
SVR: Final = "https://in-toto.io/attestation/svr/v0.2"
TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"

VERIFIER_ID: Final = "urn:adjudge:verifier"
"""Who verified, unless an organisation gives an URI of its own."""

EXTENSION: Final = "adjudge_decision"
"""The field of each predicate that ties it to the decision record."""

_SLSA_VERSION: Final = "1.2"


def statement(
    decision: Decision,
    kind: str,
    *,
    verifier_id: str = VERIFIER_ID,
    resource_uri: str | None = None,
) -> bytes:
    """The statement of one of :data:`KINDS` about a decision, as canonical JSON.

    ``resource_uri`` is where what was judged is published; without it a generic package URL is
    made of the release's name and version.  Raises :class:`UsageError`
    ``attestation_kind_unknown``, ``attestation_outcome`` (the predicate cannot say this
    outcome), ``attestation_no_subject`` (nothing that was judged has a digest).
    """
    if kind not in _PREDICATES:
        raise UsageError(
            "attestation_kind_unknown",
            f"no such attestation: {kind[:50]!r}",
            hint=f"use one of: {', '.join(KINDS)}",
        )
    outcomes, predicate_type, predicate = _PREDICATES[kind]
    if decision.outcome not in outcomes:
        raise UsageError(
            "attestation_outcome",
            f"a {kind} cannot state the outcome {decision.outcome}",
            hint="attest to it with vsa, which states allow and deny"
            if decision.outcome != "no_verdict"
            else "where nothing was decided there is nothing to attest to",
        )
    subjects = [
        {"name": name, "digest": {"sha256": digest}}
        for name, digest in named_digests(decision.subject).items()
    ]
    if not subjects:
        raise UsageError(
            "attestation_no_subject",
            "nothing that was judged has a digest, so no attestation can be about it",
        )
    body = predicate(decision, verifier_id, resource_uri or _resource_uri(decision))
    body[EXTENSION] = {
        "id": decision.decision_id,
        "digest": {"sha256": decision.digest},
        "outcome": decision.outcome,
        "time": decision.time,
    }
    return canonical_bytes(
        {
            "_type": STATEMENT_TYPE,
            "subject": subjects,
            "predicateType": predicate_type,
            "predicate": body,
        }
    )


def named_digests(subjects: Iterable[Subject]) -> dict[str, str]:
    """The names of the subjects in a statement, each with its SHA-256; names occur once."""
    out: dict[str, str] = {}
    for subject in subjects:
        if subject.digest is None:
            continue
        name, digest = subject.path or subject.name, subject.digest.sha256
        if out.get(name, digest) != digest:
            # Weights and the signature beside them are two artifacts with one path.
            name = f"{name}#{subject.kind}"
        out[name] = digest
    return out


def _resource_uri(decision: Decision) -> str:
    release = next((s for s in decision.subject if s.kind == "release"), None)
    first = release or decision.subject[0]
    name, at, version = first.name.rpartition("@")
    if not at:
        name, version = first.name, ""
    return f"pkg:generic/{quote(name, safe='')}" + (f"@{quote(version, safe='')}" if at else "")


def _policy(decision: Decision) -> dict[str, Any]:
    return {
        "uri": f"urn:adjudge:policy:{quote(decision.policy.name, safe='')}",
        "digest": {"sha256": decision.policy.digest},
    }


def _verification_summary(
    decision: Decision, verifier_id: str, resource_uri: str
) -> dict[str, Any]:
    """SLSA 1.2, Verification Summary Attestation v1."""
    passed = decision.outcome == "allow"
    return {
        "verifier": {"id": verifier_id, "version": {"adjudge": decision.engine.version}},
        "timeVerified": decision.time,
        "resourceUri": resource_uri,
        "policy": _policy(decision),
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": _levels(decision) if passed else ["FAILED"],
        "slsaVersion": _SLSA_VERSION,
    }


def _simple_result(decision: Decision, verifier_id: str, resource_uri: str) -> dict[str, Any]:
    """Simple Verification Result v0.2: properties that hold."""
    return {
        "verifier": {"id": verifier_id, "policies": [_policy(decision)]},
        "timeCreated": decision.time,
        "properties": [
            *_levels(decision),
            *(f"ADJUDGE_RULE_{_word(rule)}" for rule in _by_outcome(decision)["pass"]),
        ],
    }


def _test_result(decision: Decision, verifier_id: str, resource_uri: str) -> dict[str, Any]:
    """Test Result v0.1: rules are the tests; what is waived is a warning."""
    rules = _by_outcome(decision)
    warned = sorted([*rules["warn"], *rules["waived"]])
    failed = sorted([*rules["fail"], *rules["error"]])
    if decision.outcome == "deny":
        result = "FAILED"
    else:
        result = "WARNED" if warned else "PASSED"
    return {
        "result": result,
        "configuration": [{"name": decision.policy.name, **_policy(decision)}],
        "passedTests": rules["pass"],
        "warnedTests": warned,
        "failedTests": failed,
    }


def _levels(decision: Decision) -> list[str]:
    """What passed, in names of our own: levels that start with SLSA_ are reserved."""
    packs = sorted({_word(p.name) for p in decision.policy.packs})
    return ["ADJUDGE_POLICY_PASSED", *(f"ADJUDGE_PACK_{p}_PASSED" for p in packs)]


def _word(name: str) -> str:
    return re.sub("[^A-Z0-9]+", "_", name.upper()).strip("_") or "_"


_WORST_FIRST: Final[tuple[RuleOutcome, ...]] = ("error", "fail", "warn", "waived", "pass")


def _by_outcome(decision: Decision) -> dict[RuleOutcome, list[str]]:
    """The rules by the worst of their results; those that applied to nothing are left out."""
    results: dict[str, list[RuleResult]] = {}
    for result in decision.results:
        results.setdefault(result.rule_id, []).append(result)
    out: dict[RuleOutcome, list[str]] = {outcome: [] for outcome in _WORST_FIRST}
    for rule in sorted(results):
        found = {r.outcome for r in results[rule]}
        worst = next((o for o in _WORST_FIRST if o in found), None)
        if worst is not None:
            out[worst].append(rule)
    return out


_Predicate = Callable[[Decision, str, str], dict[str, Any]]
_PREDICATES: Final[Mapping[str, tuple[tuple[str, ...], str, _Predicate]]] = {
    "vsa": (("allow", "deny"), VSA, _verification_summary),
    "svr": (("allow",), SVR, _simple_result),
    "test-result": (("allow", "deny"), TEST_RESULT, _test_result),
}
KINDS: Final = tuple(_PREDICATES)
"""The attestations there are: ``vsa``, ``svr``, ``test-result``."""
