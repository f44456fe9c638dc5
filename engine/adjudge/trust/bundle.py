"""Sigstore bundles (v0.1 to v0.3): a JSON value in, decoded and type-checked parts out.

Nothing is verified here.  The parts are read without a library so that bundles by keys and by
private authorities, which sigstore-python refuses, are read too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adjudge.trust.dsse import Envelope, read_envelope
from adjudge.trust.facts import rfc3339
from adjudge.trust.parsing import decode_base64, field, optional
from adjudge.trust.reasons import Refused

MEDIA_TYPES = (
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
)
_MAX_PARTS = 32
_REKOR_2 = {("hashedrekord", "0.0.2"), ("dsse", "0.0.2")}
"""The entries that Rekor v2 makes."""
_DIGESTS = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}


@dataclass(frozen=True)
class LogEntry:
    """A transparency log entry: ``raw`` as in the bundle, the rest read from it."""

    raw: dict[str, Any]
    log_id: bytes
    index: int
    integrated_time: datetime | None
    kind: str
    version: str
    body: bytes

    def as_facts(self, verified: bool) -> dict[str, Any]:
        """The entry as policies see it."""
        facts = {
            "verified": verified,
            "log_id": self.log_id.hex(),
            "index": self.index,
            "kind": f"{self.kind}/{self.version}",
        }
        if self.integrated_time is not None:
            facts["integrated_time"] = rfc3339(self.integrated_time)
        return facts


@dataclass(frozen=True)
class Bundle:
    """A bundle's parts.  Exactly one of ``envelope`` and ``signature`` is set."""

    certificates: tuple[bytes, ...]
    """DER, the signer's first; empty for a bundle by a key."""
    by_key: bool
    envelope: Envelope | None
    signature: bytes | None
    digest: tuple[str, bytes] | None
    """Algorithm and digest the bundle states for a message signature: a hint."""
    entries: tuple[LogEntry, ...]
    timestamps: tuple[bytes, ...]
    """RFC 3161 responses, DER."""

    def signatures(self) -> tuple[bytes, ...]:
        """The signatures in the bundle, at least one."""
        if self.envelope is not None:
            return self.envelope.signatures
        return (self.signature or b"",)


def is_bundle(value: Any) -> bool:
    """Whether a JSON value looks like a Sigstore bundle."""
    return isinstance(value, dict) and ("verificationMaterial" in value or "mediaType" in value)


def read_bundle(value: Any) -> Bundle:
    """The parts of the bundle in a JSON value.

    Raises :class:`Refused` (``malformed``, ``unsupported_version``, ``certificate_missing``).
    """
    media_type = field(value, str, "mediaType")
    if media_type not in MEDIA_TYPES:
        raise Refused("unsupported_version", media_type[:100])
    material = field(value, dict, "verificationMaterial")
    message = optional(value, dict, "messageSignature")
    envelope = optional(value, dict, "dsseEnvelope")
    if (message is None) == (envelope is None):
        raise Refused("malformed", "a bundle holds one of messageSignature and dsseEnvelope")
    return Bundle(
        certificates=_certificates(material),
        by_key=optional(material, dict, "publicKey") is not None,
        envelope=None if envelope is None else read_envelope(envelope),
        signature=None if message is None else _message_signature(message),
        digest=None if message is None else _digest(message),
        entries=tuple(_entry(e) for e in _parts(material, "tlogEntries")),
        timestamps=tuple(
            decode_base64(field(t, str, "signedTimestamp"), "a timestamp")
            for t in _parts(
                optional(material, dict, "timestampVerificationData"), "rfc3161Timestamps"
            )
        ),
    )


def _certificates(material: dict[str, Any]) -> tuple[bytes, ...]:
    single = optional(material, dict, "certificate")
    chain = optional(material, dict, "x509CertificateChain")
    key = optional(material, dict, "publicKey")
    if [single, chain, key].count(None) != 2:
        raise Refused("certificate_missing", "a bundle names one certificate, chain or key")
    if key is not None:
        return ()
    found = [single] if single is not None else _parts(chain, "certificates")
    if not found:
        raise Refused("certificate_missing", "its certificate chain is empty")
    return tuple(decode_base64(field(c, str, "rawBytes"), "a certificate") for c in found)


def _parts(value: Any, key: str) -> list[Any]:
    found = optional(value, list, key) or []
    if len(found) > _MAX_PARTS:
        raise Refused("malformed", f"{key} has {len(found)} entries")
    return found


def _message_signature(message: dict[str, Any]) -> bytes:
    signature = decode_base64(field(message, str, "signature"), "the signature")
    if not signature:
        raise Refused("malformed", "the signature is empty")
    return signature


def _digest(message: dict[str, Any]) -> tuple[str, bytes] | None:
    stated = optional(message, dict, "messageDigest")
    if stated is None:
        return None
    algorithm = _DIGESTS.get(field(stated, str, "algorithm"))
    if algorithm is None:
        raise Refused("malformed", "the digest algorithm is not supported")
    return algorithm, decode_base64(field(stated, str, "digest"), "the digest")


def _entry(item: Any) -> LogEntry:
    time = _number(item, "integratedTime", required=False)
    try:
        integrated = datetime.fromtimestamp(time, UTC) if time else None
    except (OverflowError, ValueError, OSError):
        raise Refused("malformed", "integratedTime is no time") from None
    index = _number(item, "logIndex", required=True) or 0
    kind = field(item, str, "kindVersion", "kind")
    version = field(item, str, "kindVersion", "version")
    _check_proof(item, index if (kind, version) in _REKOR_2 else None)
    return LogEntry(
        raw=item,
        log_id=decode_base64(field(item, str, "logId", "keyId"), "the log id"),
        index=index,
        integrated_time=integrated,
        kind=kind,
        version=version,
        body=decode_base64(field(item, str, "canonicalizedBody"), "the log entry"),
    )


def _check_proof(item: Any, index: int | None) -> None:
    """What the proof of inclusion says must be well written, and agree with the entry's index.

    ``index`` is given for entries of Rekor v2, where it is that of the proof.  Rekor v1 counts
    over several trees, and signs the entry's index with its promise.
    """
    promise = optional(item, dict, "inclusionPromise")
    if promise is not None:
        decode_base64(field(promise, str, "signedEntryTimestamp"), "the log's promise")
    proof = optional(item, dict, "inclusionProof")
    if proof is None:
        return
    decode_base64(optional(proof, str, "rootHash") or "", "the root hash of the log")
    for part in optional(proof, list, "hashes") or []:
        decode_base64(field(part, str), "a hash of the log")
    _check_note(optional(proof, str, "checkpoint", "envelope") or "")
    if index is not None and _number(proof, "logIndex", required=False) not in (None, index):
        raise Refused("log_entry_invalid", "it states two places in the log")


def _check_note(note: str) -> None:
    """The signature lines of a checkpoint are ``— NAME BASE64`` (C2SP signed note).

    The library reads less strictly: what follows the padding is nothing to it.
    """
    _, _, signatures = note.rpartition("\n\n")
    for line in filter(None, signatures.split("\n")):
        mark, _, rest = line.partition(" ")
        name, _, signature = rest.partition(" ")
        if mark != "—" or not name or not decode_base64(signature, "a checkpoint's signature"):
            raise Refused("malformed", "a line of the checkpoint is no signature")


def _number(item: Any, key: str, *, required: bool) -> int | None:
    """A 64-bit number, which Protobuf's JSON writes as text."""
    found = optional(item, object, key)
    if found is None and not required:
        return None
    text = str(found) if isinstance(found, int | str) else ""
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):
        raise Refused("malformed", f"{key} is no number")
    return int(text)
