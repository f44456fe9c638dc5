"""Sigstore's own verification, offline: bundle and trusted root in, trusted times out.

The only module that imports sigstore-python, which takes 0.4 s to load: others import this one
when they meet a bundle that needs it.  Three rules are added to the library's: a certificate
counts only within the validity that the trusted root gives its authority, the end of a
timestamp authority's validity is part of it (both: Sigstore client specification, a TimeRange
is a closed interval), and entries of kind ``intoto`` 0.0.2, which older attestations have, are
understood.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from rfc3161_client import decode_timestamp_response
from sigstore._internal.timestamp import TimestampSource, TimestampVerificationResult
from sigstore._internal.trust import CertificateAuthority, KeyringPurpose
from sigstore._utils import KeyID
from sigstore.errors import CertValidationError, Error
from sigstore.hashes import Hashed
from sigstore.models import (
    Bundle,
    ClientTrustConfig,
    InvalidBundle,
    TransparencyLogEntry,
)
from sigstore.verify import Verifier
from sigstore_models.common.v1 import HashAlgorithm
from sigstore_models.rekor.v1 import TransparencyLogEntry as EntryModel

from adjudge.errors import AdjudgeError, InputError
from adjudge.trust import bundle as parts
from adjudge.trust.artifact import Artifact
from adjudge.trust.certificates import load_certificate, public_key_of
from adjudge.trust.cosign import Promise
from adjudge.trust.keys import fits
from adjudge.trust.logbody import check_entry
from adjudge.trust.parsing import parse_json
from adjudge.trust.reasons import Refused, shorten
from adjudge.trust.settings import TrustedRootFile

# The library reports through logging what ends here in facts; without a handler Python would
# print its warnings.
logging.getLogger("sigstore").addHandler(logging.NullHandler())

_PRODUCTION = "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev"

# What the library's messages mean, the more specific first.
_MEANINGS = (
    ("tlogEntries.0.inclusionProof", "log_entry_missing"),
    ("inclusion promise or signed timestamp", "no_trusted_time"),
    ("must contain an inclusion promise", "no_trusted_time"),
    ("not enough sources of verified time", "no_trusted_time"),
    ("no Timestamp Authorities", "no_trusted_time"),
    ("expected certificate", "certificate_missing"),
    ("expected non-empty certificate chain", "certificate_missing"),
    ("leaf", "certificate_invalid"),
    ("exactly one log entry", "log_entry_missing"),
    ("entry must contain inclusion proof", "log_entry_missing"),
    ("expected checkpoint", "log_entry_missing"),
    ("unsupported bundle format", "unsupported_version"),
    ("not valid at validation time", "certificate_not_valid_at_signing"),
    ("expired at time of signing", "certificate_not_valid_at_signing"),
    ("outside the validity of its authority", "certificate_not_valid_at_signing"),
    ("certificate chain", "certificate_untrusted"),
    ("SCT", "certificate_log_proof_invalid"),
    ("sage does not contain", "certificate_invalid"),
    ("Key usage is not", "certificate_invalid"),
    ("invalid log entry", "log_entry_invalid"),
    ("inconsistent with other materials", "log_entry_mismatch"),
    ("log entry", "log_entry_mismatch"),
    ("message digest mismatch", "artifact_mismatch"),
    ("ignature is invalid", "signature_invalid"),
    ("invalid signature", "signature_invalid"),
)


@dataclass(frozen=True)
class TrustedTime:
    """When a signature existed, and who says so."""

    time: datetime
    source: str


@dataclass(frozen=True)
class LogProof:
    """An entry is in its log; ``time`` when the log also signed the time of entry."""

    time: TrustedTime | None


def root_digest(root: TrustedRootFile | None) -> str:
    """SHA-256 (hex) of the trusted root that is used."""
    return hashlib.sha256(_root_bytes(root)).hexdigest()


def verify_bundle(
    raw: bytes, bundle: parts.Bundle, artifact: Artifact | None, root: TrustedRootFile | None
) -> TrustedTime:
    """Verify a keyless bundle, and for a message signature that it is over ``artifact``.

    Gives the earliest trusted time of signing.  Who signed is for the caller to judge: every
    identity passes here.  Raises :class:`Refused`, or InputError for an unusable root.
    """
    verifier = _verifier(_root_bytes(root), "" if root is None else root.name)
    # The library tries every log's key when it does not know the id, which would then be a claim.
    if any(not verifier.knows_log(entry.log_id) for entry in bundle.entries):
        unknown_log = Refused("log_entry_invalid", "the trusted root does not know the log")
    else:
        unknown_log = None
    try:
        checked = Bundle.from_json(raw)
        _check_same(checked.signing_certificate.public_bytes(Encoding.DER), bundle.certificates[0])
        if bundle.envelope is not None:
            verifier.verify_envelope(checked, bundle)
        elif artifact is None:
            raise Refused("artifact_mismatch", "it is over a single file")
        else:
            digest = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=artifact.digest("sha256"))
            verifier.verify_artifact(digest, checked, _EveryIdentity())
        times = verifier._establish_time(checked)
        if unknown_log is not None:
            raise unknown_log
    except (AdjudgeError, Refused):
        raise
    except InvalidBundle as error:
        raise Refused(_meaning(str(error), "malformed"), str(error)) from None
    except Exception as error:  # pydantic, cryptography and others: none of them is a yes
        raise Refused(_meaning(str(error), "verification_failed"), str(error)) from None
    return _earliest(times)


def verify_log_entry(entry: parts.LogEntry, root: TrustedRootFile | None) -> LogProof | None:
    """Verify that the entry is in its log; None when the trusted root does not know the log.

    Raises :class:`Refused` ``log_entry_invalid``.
    """
    verifier = _verifier(_root_bytes(root), "" if root is None else root.name)
    if not verifier.knows_log(entry.log_id):
        return None
    try:
        checked = TransparencyLogEntry(EntryModel.from_json(json.dumps(entry.raw)))
        checked._verify(verifier.rekor_keyring())
    except Exception as error:  # as above
        raise Refused("log_entry_invalid", str(error)) from None
    promised = checked._inner.inclusion_promise is not None
    time = entry.integrated_time if promised else None
    return LogProof(None if time is None else TrustedTime(time, "transparency_log"))


def verify_promise(promise: Promise, root: TrustedRootFile | None) -> TrustedTime | None:
    """Verify a log's promise to enter an entry; None when the trusted root does not know the log.

    Raises :class:`Refused` ``log_entry_invalid``.
    """
    verifier = _verifier(_root_bytes(root), "" if root is None else root.name)
    entry = promise.entry
    if not verifier.knows_log(entry.log_id) or entry.integrated_time is None:
        return None
    try:
        verifier.rekor_keyring().verify(
            key_id=KeyID(entry.log_id), signature=promise.signature, data=promise.signed
        )
    except Exception as error:  # as above
        raise Refused("log_entry_invalid", str(error)) from None
    return TrustedTime(entry.integrated_time, "transparency_log")


def verify_timestamps(
    timestamps: Sequence[bytes], signature: bytes, root: TrustedRootFile | None
) -> TrustedTime | None:
    """The earliest time that a trusted timestamp authority (RFC 3161) gives the signature."""
    verifier = _verifier(_root_bytes(root), "" if root is None else root.name)
    times = []
    for der in timestamps:
        try:
            found = verifier._verify_signed_timestamp(decode_timestamp_response(der), signature)
        except Exception:  # noqa: S112  a timestamp that cannot be read gives no time
            continue
        if found is not None:
            times.append(found)
    return _earliest(times) if times else None


def _check_same(verified: object, read: object) -> None:
    """What the library verified must be what this package read and acts upon."""
    if verified != read:
        raise Refused("malformed", "the bundle can be read in two ways")


class _EveryIdentity:
    """Lets every certificate pass; the caller judges the identity afterwards."""

    def verify(self, cert: Certificate) -> None:
        """Accept."""


class _Verifier(Verifier):
    """sigstore-python's verifier with the rules that the module's docstring names."""

    def knows_log(self, log_id: bytes) -> bool:
        """Whether the trusted root has a log of this id."""
        return any(log.log_id.key_id == log_id for log in self._trusted_root._inner.tlogs)

    def rekor_keyring(self) -> Any:
        """The keys of the transparency logs."""
        return self._trusted_root.rekor_keyring(KeyringPurpose.VERIFY)

    def verify_envelope(self, bundle: Bundle, read: parts.Bundle) -> None:
        """Verify a bundle that holds a DSSE envelope."""
        entry = bundle.log_entry._inner.kind_version
        if (entry.kind, entry.version) != ("intoto", "0.0.2"):
            kind, payload = self.verify_dsse(bundle, _EveryIdentity())
            held = read.envelope
            _check_same((kind, payload), held and (held.payload_type, held.payload))
            return
        self._verify_common_signing_cert(bundle, _EveryIdentity())
        envelope = read.envelope
        leaf = load_certificate(read.certificates[0])
        if envelope is None or len(envelope.signatures) != 1 or len(read.entries) != 1:
            raise Refused("malformed", "an envelope in a bundle has one signature")
        if not fits(public_key_of(leaf), envelope.signatures[0], envelope.signed()):
            raise Refused("signature_invalid")
        check_entry(
            read.entries[0],
            envelope.signatures[0],
            envelope.signed(),
            envelope.payload,
            read.certificates[0],
        )

    def _establish_time(self, bundle: Bundle) -> list[TimestampVerificationResult]:
        inner = bundle.log_entry._inner
        if (inner.kind_version.kind, inner.kind_version.version) != ("intoto", "0.0.2"):
            return super()._establish_time(bundle)
        times = []
        if bundle.verification_material.timestamp_verification_data:
            times = self._verify_timestamp_authority(bundle)
        if inner.integrated_time and inner.inclusion_promise:
            # The promise itself is verified with the log entry.
            time = datetime.fromtimestamp(inner.integrated_time, tz=UTC)
            times.append(
                TimestampVerificationResult(source=TimestampSource.TRANSPARENCY_SERVICE, time=time)
            )
        return times

    def _verify_chain_at_time(
        self, certificate: Certificate, timestamp_result: TimestampVerificationResult
    ) -> list[Certificate]:
        chain = super()._verify_chain_at_time(certificate, timestamp_result)
        for inner in self._trusted_root._inner.certificate_authorities:
            authority = CertificateAuthority(inner)
            if chain[0] not in authority.certificates(allow_expired=True):
                continue
            end = authority.validity_period_end
            if authority.validity_period_start <= timestamp_result.time and (
                end is None or timestamp_result.time <= end
            ):
                return chain
        raise CertValidationError("the certificate is outside the validity of its authority")


def _root_bytes(root: TrustedRootFile | None) -> bytes:
    if root is not None:
        return root.data
    # The library's own accessor prefers a cache in the home folder that nothing has verified.
    shipped = resources.files("sigstore._store") / _PRODUCTION / "trusted_root.json"
    try:
        return shipped.read_bytes()
    except OSError:
        raise InputError(
            "trusted_root_missing",
            "no Sigstore trusted root is configured, and none is shipped with sigstore-python",
            hint="name a trusted_root.json in the trust settings",
        ) from None


@lru_cache(maxsize=8)
def _verifier(data: bytes, name: str) -> _Verifier:
    try:
        value = parse_json(data)
        for authority in value.get("timestampAuthorities") or []:
            _include_end(authority.get("validFor") or {})
        # Only the client configuration reads a root from memory.
        config = {
            "mediaType": ClientTrustConfig.ClientTrustConfigType.CONFIG_0_1.value,
            "trustedRoot": value,
            "signingConfig": {
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                "caUrls": [],
                "oidcUrls": [],
                "rekorTlogUrls": [],
                "tsaUrls": [],
                "rekorTlogConfig": {"selector": "ANY"},
                "tsaConfig": {"selector": "ANY"},
            },
        }
        return _Verifier(trusted_root=ClientTrustConfig.from_json(json.dumps(config)).trusted_root)
    except (Refused, Error, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            "trusted_root_invalid",
            f"the trusted root {name} cannot be used: {shorten(str(error))}",
            hint="name a Sigstore trusted_root.json in the trust settings",
        ) from None


def _include_end(valid_for: dict[str, Any]) -> None:
    """Move an end by a microsecond, as the library compares with ``<``."""
    end = valid_for.get("end")
    if isinstance(end, str):
        time = datetime.fromisoformat(end.replace("Z", "+00:00"))
        valid_for["end"] = (time + timedelta(microseconds=1)).isoformat().replace("+00:00", "Z")


def _earliest(times: Sequence[TimestampVerificationResult]) -> TrustedTime:
    first = min(times, key=lambda t: t.time)
    by_authority = first.source == TimestampSource.TIMESTAMP_AUTHORITY
    return TrustedTime(first.time, "timestamp_authority" if by_authority else "transparency_log")


def _meaning(message: str, otherwise: str) -> str:
    return next((code for text, code in _MEANINGS if text in message), otherwise)
