"""Timestamps of an organisation's own authority (RFC 3161): response and authorities in, time out.

Those of Sigstore's authorities are verified by :mod:`adjudge.trust.keyless`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import VerifierBuilder, decode_timestamp_response


def time_of(der: bytes, message: bytes, authorities: Sequence[x509.Certificate]) -> datetime | None:
    """When ``message`` existed, by the timestamp response ``der``; None when it proves nothing.

    ``authorities`` are the certificates that are trusted: roots, those in between, and the
    authority's own if responses do not hold it.  All must have been valid at the time stated.
    """
    own = [c for c in authorities if _stamps_time(c)]
    others = [c for c in authorities if c not in own]
    roots = [c for c in others if c.subject == c.issuer] or others
    if not roots:
        return None
    for leaf in [None, *own]:
        verifier = VerifierBuilder(
            roots=list(roots),
            intermediates=[c for c in others if c not in roots],
            tsa_certificate=leaf,
        )
        try:
            response = decode_timestamp_response(der)
            if verifier.build().verify_message(response, message):
                return response.tst_info.gen_time.astimezone(UTC)
        except Exception:  # noqa: S112  the library has many ways to say no; none is a time
            continue
    return None


def _stamps_time(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        return False
    return ExtendedKeyUsageOID.TIME_STAMPING in usage
