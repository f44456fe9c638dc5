"""What is known about one signature after looking at it: the facts that policies see."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from adjudge.trust.reasons import REASONS, Refused


@dataclass
class Verification:
    """The outcome for one signature.

    ``authentic`` says that the mathematics hold: signature, signed bytes, certificate chain, time
    and log proofs.  ``verified`` says in addition that the signer is one the settings name and
    that the signature is not too old.  ``identity`` and ``issuer`` are set only when authentic;
    ``claimed_identity`` and ``claimed_issuer`` are what the certificate says, proved or not.
    """

    kind: str = "none"
    """``sigstore`` (keyless), ``key``, ``certificate`` (private authority) or ``none``."""
    format: str = "unknown"
    """``sigstore_bundle``, ``dsse``, ``raw``, ``cosign_bundle`` or ``unknown``."""
    verified: bool = False
    authentic: bool = False
    reason_code: str = "verification_failed"
    reason: str = REASONS["verification_failed"]
    identity: str | None = None
    identities: list[str] = field(default_factory=list)
    issuer: str | None = None
    claimed_identity: str | None = None
    claimed_issuer: str | None = None
    extensions: dict[str, str] = field(default_factory=dict)
    """What the certificate says about the build, keyed like ``source_repository_uri``."""
    certificate: dict[str, Any] | None = None
    key_id: str | None = None
    """SHA-256 (hex) of the trusted key's SubjectPublicKeyInfo."""
    key_ids: list[str] = field(default_factory=list)
    key_name: str | None = None
    key_algorithm: str | None = None
    signed_at: str | None = None
    """RFC 3339, UTC; only from a trusted clock, never from the signer."""
    time_source: str | None = None
    """``timestamp_authority`` or ``transparency_log``."""
    log: dict[str, Any] | None = None
    payload_type: str | None = None
    statement_type: str | None = None
    predicate_type: str | None = None
    subjects: list[dict[str, Any]] = field(default_factory=list)
    predicate: Any = None
    """The signed predicate; null unless authentic."""
    trusted_root_digest: str | None = None

    def refuse(self, refusal: Refused) -> Verification:
        """Note why the signature does not count; returns itself."""
        self.verified = False
        self.reason_code, self.reason = refusal.code, refusal.reason
        return self

    def accept(self) -> Verification:
        """Note that the signature counts; returns itself."""
        self.verified = True
        self.reason_code, self.reason = "verified", REASONS["verified"]
        return self

    def at(self, time: datetime, source: str) -> None:
        """Note the trusted time of signing."""
        self.signed_at = rfc3339(time)
        self.time_source = source

    def as_facts(self) -> dict[str, Any]:
        """The facts as JSON, always with the same keys."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}


def rfc3339(time: datetime) -> str:
    """``time`` in UTC to the second, such as ``2026-01-31T12:00:00Z``."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
