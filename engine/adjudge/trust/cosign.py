"""The bundle that ``cosign sign-blob --bundle`` wrote before Sigstore's own: JSON in, parts out.

``{base64Signature, cert?, rekorBundle?: {SignedEntryTimestamp, Payload: {body, integratedTime,
logIndex, logID}}}``.  The log's promise (signed entry timestamp) proves when the entry was
accepted; that it is in the log, nothing here proves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785

from adjudge.trust.bundle import LogEntry
from adjudge.trust.parsing import decode_base64, field, optional, parse_json
from adjudge.trust.reasons import Refused


@dataclass(frozen=True)
class Promise:
    """A log's promise: ``entry``, and the ``signature`` over ``signed``."""

    entry: LogEntry
    signature: bytes
    signed: bytes


@dataclass(frozen=True)
class CosignBundle:
    """The parts; ``certificate`` is PEM."""

    signature: bytes
    certificate: bytes | None
    promise: Promise | None


def is_cosign_bundle(value: Any) -> bool:
    """Whether a JSON value looks like one."""
    return isinstance(value, dict) and "base64Signature" in value


def read_cosign_bundle(value: Any) -> CosignBundle:
    """The parts of the bundle in a JSON value.  Raises :class:`Refused` ``malformed``."""
    signature = decode_base64(field(value, str, "base64Signature"), "the signature")
    if not signature:
        raise Refused("malformed", "the signature is empty")
    certificate = optional(value, str, "cert")
    log = optional(value, dict, "rekorBundle")
    return CosignBundle(
        signature=signature,
        certificate=decode_base64(certificate, "the certificate") if certificate else None,
        promise=_promise(log) if log else None,
    )


def _promise(log: dict[str, Any]) -> Promise:
    payload = field(log, dict, "Payload")
    body = field(payload, str, "body")
    time, index = field(payload, int, "integratedTime"), field(payload, int, "logIndex")
    log_id = field(payload, str, "logID")
    try:
        raw_id = bytes.fromhex(log_id)
        integrated = datetime.fromtimestamp(time, UTC)
        signed = rfc8785.dumps(
            {"body": body, "integratedTime": time, "logID": log_id, "logIndex": index}
        )
    except (OverflowError, ValueError, OSError):
        raise Refused("malformed", "the log entry holds a number that is none") from None
    decoded = decode_base64(body, "the log entry")
    head = parse_json(decoded)
    entry = LogEntry(
        raw={},
        log_id=raw_id,
        index=index,
        integrated_time=integrated,
        kind=field(head, str, "kind"),
        version=field(head, str, "apiVersion"),
        body=decoded,
    )
    promise = decode_base64(field(log, str, "SignedEntryTimestamp"), "the log's promise")
    return Promise(entry, promise, signed)
