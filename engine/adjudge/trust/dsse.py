"""DSSE envelopes: JSON in, payload bytes and signatures out; and what a DSSE signature is over.

DSSE protocol 1.0: the signature is over the pre-authentication encoding of payload type and
payload.  Key ids in an envelope are hints by whoever wrote it and decide nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adjudge.trust.artifact import Artifact
from adjudge.trust.parsing import decode_base64, field, optional
from adjudge.trust.reasons import Refused

MAX_SIGNATURES = 100
"""Signatures in one envelope.  Each is tried with each trusted key, so there must be an end."""


@dataclass(frozen=True)
class Envelope:
    """A DSSE envelope with everything decoded."""

    payload: bytes
    payload_type: str
    signatures: tuple[bytes, ...]

    def signed(self) -> Artifact:
        """What the signatures are over."""
        return Artifact.of_bytes(pae(self.payload_type, self.payload))

    def signed_in_old_form(self) -> Artifact | None:
        """What signatures by keys of OpenSSF model signing 0.2 are over; None for other payloads.

        That version wrote the payload as Python shows bytes, and DSSE in capitals; neither can be
        taken for the other.
        """
        if b'"https://model_signing/Digests/v0.1"' not in self.payload:
            return None
        head = f"DSSEV1 {len(self.payload_type)} {self.payload_type} {len(self.payload)} "
        return Artifact.of_bytes(
            head.encode("utf-8", "surrogatepass") + repr(self.payload).encode()
        )


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding (DSSE protocol 1.0); lengths count bytes."""
    kind = payload_type.encode("utf-8", "surrogatepass")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def read_envelope(value: Any) -> Envelope:
    """The envelope in a JSON value.

    Raises :class:`Refused`: ``malformed`` for wrong types, bad base64 and empty envelopes,
    ``too_large`` for more than :data:`MAX_SIGNATURES` signatures.
    """
    raw_signatures = field(value, list, "signatures")
    if not raw_signatures:
        raise Refused("malformed", "the envelope has no signatures")
    if len(raw_signatures) > MAX_SIGNATURES:
        raise Refused("too_large", f"the envelope has {len(raw_signatures)} signatures")
    signatures = []
    for item in raw_signatures:
        signature = decode_base64(field(item, str, "sig"), "a signature")
        optional(item, str, "keyid")
        if not signature:
            raise Refused("malformed", "a signature is empty")
        signatures.append(signature)
    return Envelope(
        payload=decode_base64(field(value, str, "payload"), "the payload"),
        payload_type=field(value, str, "payloadType"),
        signatures=tuple(signatures),
    )
