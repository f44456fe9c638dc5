"""Signed statements about decisions in, a list of checks out: each held, or says why not.

What a consumer of a verification summary has to look at (SLSA 1.2, "Verifying artifacts"):
the signature by somebody trusted, the verifier, what was judged, by which policies, when, and
with which outcome.  Nothing of a statement is believed before its signature is verified.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from adjudge.decision.model import Decision
from adjudge.decision.times import parse_time
from adjudge.errors import AdjudgeError
from adjudge.exports.intoto import EXTENSION, SVR, TEST_RESULT, VSA, named_digests
from adjudge.trust import Trust, Verification, split_signatures, verify_one
from adjudge.trust.verify import MAX_SIGNATURES, Subject

Outcome: TypeAlias = Literal["allow", "deny", "any"]

CLOCK_SKEW_NS: Final = 5 * 60 * 1_000_000_000
"""How far in the future a decision may lie: clocks differ."""

_MAX_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.  ``ok`` is None where nothing was given to compare with."""

    name: str
    ok: bool | None
    message: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What the statement is compared with; None is not looked at.

    ``record`` is the decision record.  ``subjects`` are names and SHA-256 digests of what is
    at hand now, ``policy_digest`` the digest of the policies that should have decided.
    ``max_age_ns`` is how old the decision may be at ``now_ns``.
    """

    now_ns: int
    outcome: Outcome = "allow"
    verifier_id: str | None = None
    record: Decision | None = None
    subjects: Mapping[str, str] | None = None
    policy_digest: str | None = None
    max_age_ns: int | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of one statement; it is genuine and as expected when ``ok``."""

    signature: Verification
    checks: tuple[Check, ...]
    decision: Mapping[str, Any] = field(default_factory=dict)
    """Id, digest, outcome and time of the decision, as signed."""

    @property
    def ok(self) -> bool:
        """Whether nothing failed.  What was not looked at does not fail."""
        return all(c.ok is not False for c in self.checks)


def verify_statements(raw: bytes, trust: Trust, expected: Expected) -> list[Verdict]:
    """Every statement in a file: a DSSE envelope, a Sigstore bundle, or lines of them."""
    pieces = split_signatures(raw)
    if len(pieces) > MAX_SIGNATURES:
        refusal = f"the file holds {len(pieces)} statements; {MAX_SIGNATURES} are looked at"
        return [Verdict(Verification(), (Check("signature", False, refusal),))]
    return [_verify(piece, trust, expected) for piece in pieces]


def _verify(raw: bytes, trust: Trust, expected: Expected) -> Verdict:
    # The statement is bound to its subjects below, all at once.
    signature = verify_one(raw, Subject(None, lambda statement: None), trust)
    if not signature.verified:
        said = signature.reason or signature.reason_code or "not verified"
        return Verdict(signature, (Check("signature", False, said),))
    held = Check("signature", True, f"signed by {_signer(signature)}")
    predicate = signature.predicate if isinstance(signature.predicate, dict) else {}
    try:
        stated = _Stated(signature.predicate_type or "", predicate)
    except _Unusable as problem:
        return Verdict(signature, (held, Check("statement", False, str(problem))))
    checks = (held, *_checks(stated, _digests(signature.subjects), expected))
    return Verdict(signature, checks, stated.decision)


def _signer(signature: Verification) -> str:
    if signature.identity is not None:
        issuer = f" (issuer {signature.issuer})" if signature.issuer else ""
        return f"{signature.identity}{issuer}"
    return f"the key {signature.key_name} ({signature.key_algorithm})"


class _Unusable(Exception):
    """The signed statement does not say what is needed of it."""


class _Stated:
    """What a statement says about a decision, whatever its predicate.

    Raises :class:`_Unusable` when it is about something else, or contradicts itself.
    """

    def __init__(self, predicate_type: str, predicate: Mapping[str, Any]) -> None:
        read = _READERS.get(predicate_type)
        if read is None:
            raise _Unusable(f"it is no statement about a decision: {predicate_type[:100]!r}")
        extension = predicate.get(EXTENSION)
        if not isinstance(extension, dict):
            raise _Unusable(f"it has no {EXTENSION}: it was not made by adjudge")
        try:
            self.digest = str(extension["digest"]["sha256"])
            self.id = str(extension["id"])
            self.outcome = str(extension["outcome"])
            self.time = str(extension["time"])
            self.time_ns = parse_time(self.time)
            self.verifier_id, self.policy_digest, said, time = read(predicate)
        except (KeyError, TypeError, AttributeError, IndexError, AdjudgeError):
            raise _Unusable(
                "a field that its predicate type requires is missing or wrong"
            ) from None
        if self.outcome not in said:
            raise _Unusable(f"it says {self.outcome} in one place and the contrary in another")
        if time is not None and time != self.time:
            raise _Unusable("it gives two times for one decision")

    @property
    def decision(self) -> dict[str, Any]:
        """The decision as it was signed."""
        return {"id": self.id, "digest": self.digest, "outcome": self.outcome, "time": self.time}


_Read: TypeAlias = "tuple[str | None, str, tuple[str, ...], str | None]"


def _read_summary(predicate: Mapping[str, Any]) -> _Read:
    outcomes = {"PASSED": ("allow",), "FAILED": ("deny",)}
    return (
        str(predicate["verifier"]["id"]),
        str(predicate["policy"]["digest"]["sha256"]),
        outcomes[predicate["verificationResult"]],
        str(predicate["timeVerified"]),
    )


def _read_simple(predicate: Mapping[str, Any]) -> _Read:
    policy = predicate["verifier"]["policies"][0]
    return (
        str(predicate["verifier"]["id"]),
        str(policy["digest"]["sha256"]),
        ("allow",),
        str(predicate["timeCreated"]),
    )


def _read_tests(predicate: Mapping[str, Any]) -> _Read:
    outcomes = {"PASSED": ("allow",), "WARNED": ("allow",), "FAILED": ("deny",)}
    configuration = predicate["configuration"][0]
    return (
        None,
        str(configuration["digest"]["sha256"]),
        outcomes[predicate["result"]],
        None,
    )


_READERS: Final = {VSA: _read_summary, SVR: _read_simple, TEST_RESULT: _read_tests}


def _digests(subjects: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {str(s.get("name")): str(s["digest"].get("sha256", "")).lower() for s in subjects}


def _checks(stated: _Stated, subjects: Mapping[str, str], expected: Expected) -> Iterator[Check]:
    yield _outcome(stated, expected)
    yield _verifier(stated, expected)
    yield _record(stated, subjects, expected.record)
    yield _subjects(subjects, expected.subjects)
    yield _policy(stated, expected)
    yield _freshness(stated, expected)


def _outcome(stated: _Stated, expected: Expected) -> Check:
    said = f"the decision was {stated.outcome}"
    if expected.outcome == "any":
        return Check("outcome", None, f"{said}; any was accepted")
    ok = stated.outcome == expected.outcome
    return Check("outcome", ok, said if ok else f"{said}, expected was {expected.outcome}")


def _verifier(stated: _Stated, expected: Expected) -> Check:
    if expected.verifier_id is None:
        return Check("verifier", None, f"not compared: {stated.verifier_id or 'not stated'}")
    ok = stated.verifier_id == expected.verifier_id
    shown = stated.verifier_id or "nobody"
    return Check("verifier", ok, shown if ok else f"{shown}, expected was {expected.verifier_id}")


def _record(stated: _Stated, subjects: Mapping[str, str], record: Decision | None) -> Check:
    if record is None:
        return Check("record", None, "no decision record was given to compare with")
    if record.digest != stated.digest:
        return Check(
            "record", False, f"another record was signed: {stated.digest}, not {record.digest}"
        )
    same = (record.decision_id, record.outcome, record.time, record.policy.digest) == (
        stated.id,
        stated.outcome,
        stated.time,
        stated.policy_digest,
    )
    if not same or named_digests(record.subject) != dict(subjects):
        return Check("record", False, "the statement and the record say different things")
    return Check("record", True, f"the record {record.decision_id} is the one that was signed")


def _subjects(signed: Mapping[str, str], present: Mapping[str, str] | None) -> Check:
    if present is None:
        return Check("subjects", None, f"{len(signed)} signed; none was given to compare with")
    changed = sorted(n for n in signed if n in present and signed[n] != present[n])
    missing = sorted(n for n in signed if n not in present)
    added = sorted(n for n in present if n not in signed)
    wrong = [
        f"{what}: {', '.join(names[:_MAX_SHOWN])}"
        + (f" and {len(names) - _MAX_SHOWN} more" if len(names) > _MAX_SHOWN else "")
        for what, names in (("changed", changed), ("missing", missing), ("not judged", added))
        if names
    ]
    if wrong:
        return Check("subjects", False, "; ".join(wrong))
    return Check("subjects", True, f"{len(signed)} as they were judged")


def _policy(stated: _Stated, expected: Expected) -> Check:
    if expected.policy_digest is None:
        return Check("policy", None, f"not compared: sha256:{stated.policy_digest}")
    ok = stated.policy_digest == expected.policy_digest
    shown = f"sha256:{stated.policy_digest}"
    return Check(
        "policy", ok, shown if ok else f"{shown}, expected was sha256:{expected.policy_digest}"
    )


def _freshness(stated: _Stated, expected: Expected) -> Check:
    age = expected.now_ns - stated.time_ns
    if age < -CLOCK_SKEW_NS:
        return Check("freshness", False, f"the decision is of {stated.time}, which is to come")
    if expected.max_age_ns is None:
        return Check("freshness", None, f"the decision is of {stated.time}; no age was demanded")
    if age > expected.max_age_ns:
        days = expected.max_age_ns / 86_400_000_000_000
        return Check("freshness", False, f"of {stated.time}, which is over {days:g} days ago")
    return Check("freshness", True, f"the decision is of {stated.time}")
