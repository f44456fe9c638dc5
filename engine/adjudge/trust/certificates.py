"""X.509 certificates of signers: names and build facts out of one, and chains to private roots.

The names of Fulcio's extensions follow its published list of object identifiers.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from adjudge.trust.facts import Verification, rfc3339
from adjudge.trust.keys import VerifyKey, weakness
from adjudge.trust.reasons import Refused

# What the library warns of in odd certificates is nothing to the people who judge them: it ends
# in facts, and warnings would be printed among these.
warnings.filterwarnings("ignore", message="Attribute's length must be")
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning)

_FULCIO = "1.3.6.1.4.1.57264.1."
_OTHER_NAME = f"{_FULCIO}7"
# Old extensions hold the bare text, those from 8 on a DER UTF8String.
_BARE = {
    1: "issuer",
    2: "github_workflow_trigger",
    3: "github_workflow_sha",
    4: "github_workflow_name",
    5: "github_workflow_repository",
    6: "github_workflow_ref",
}
_DER = {
    8: "issuer_v2",
    9: "build_signer_uri",
    10: "build_signer_digest",
    11: "runner_environment",
    12: "source_repository_uri",
    13: "source_repository_digest",
    14: "source_repository_ref",
    15: "source_repository_identifier",
    16: "source_repository_owner_uri",
    17: "source_repository_owner_identifier",
    18: "build_config_uri",
    19: "build_config_digest",
    20: "build_trigger",
    21: "run_invocation_uri",
    22: "source_repository_visibility",
}


def load_certificate(der: bytes) -> x509.Certificate:
    """The certificate in DER bytes; :class:`Refused` (``certificate_invalid``) for others."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.extensions  # noqa: B018  parsed here so that nothing fails later
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise Refused("certificate_invalid", str(error)) from None
    return certificate


def public_key_of(certificate: x509.Certificate) -> VerifyKey:
    """The certificate's key; :class:`Refused` (``certificate_invalid``) when it is unfit."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused("certificate_invalid", str(error)) from None
    problem = weakness(key)
    if problem is not None or not isinstance(key, VerifyKey):
        raise Refused("certificate_invalid", problem or "its key is not supported")
    return key


def names_of(certificate: x509.Certificate) -> list[str]:
    """The subject alternative names: e-mail addresses, URIs, DNS names, Fulcio user names."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    found: list[str] = []
    for name in names:
        if isinstance(name, x509.RFC822Name | x509.UniformResourceIdentifier | x509.DNSName):
            found.append(name.value)
        elif isinstance(name, x509.OtherName) and name.type_id.dotted_string == _OTHER_NAME:
            with contextlib.suppress(Refused):
                found.append(_utf8_string(name.value))
    return found


def extensions_of(certificate: x509.Certificate) -> dict[str, str]:
    """What Fulcio wrote into the certificate, by name; ``issuer`` is the identity's issuer.

    Raises :class:`Refused` (``certificate_invalid``) when it names two different issuers.
    """
    found: dict[str, str] = {}
    for extension in certificate.extensions:
        oid = extension.oid.dotted_string
        number = oid.removeprefix(_FULCIO)
        if number == oid or not number.isdecimal():
            continue
        if not isinstance(extension.value, x509.UnrecognizedExtension):
            continue
        raw, index = extension.value.value, int(number)
        if index in _BARE:
            found[_BARE[index]] = _text(raw)
        elif index in _DER:
            found[_DER[index]] = _utf8_string(raw)
    newer = found.pop("issuer_v2", None)
    if newer is not None and found.setdefault("issuer", newer) != newer:
        raise Refused("certificate_invalid", "it names two different issuers")
    return found


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("certificate_invalid", "an extension is not text") from None


def _utf8_string(raw: bytes) -> str:
    """The text in a DER UTF8String that fills ``raw``; lengths up to 65,535."""
    if len(raw) >= 2 and raw[0] == 0x0C:
        length, start = raw[1], 2
        if length & 0x80:
            count = length & 0x7F
            length, start = int.from_bytes(raw[2 : 2 + count], "big"), 2 + count
            if not 1 <= count <= 2:
                length = -1
        if len(raw) == start + length:
            return _text(raw[start:])
    raise Refused("certificate_invalid", "an extension is not a UTF8String")


def describe(certificate: x509.Certificate) -> dict[str, Any]:
    """The certificate as facts show it."""
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial": format(certificate.serial_number, "x"),
        "not_before": rfc3339(certificate.not_valid_before_utc),
        "not_after": rfc3339(certificate.not_valid_after_utc),
        "sha256": certificate.fingerprint(SHA256()).hex(),
    }


def note_claims(result: Verification, certificate: x509.Certificate) -> None:
    """Put what the certificate says into ``result``, as claims: nothing is proved yet."""
    names, extensions = names_of(certificate), extensions_of(certificate)
    result.certificate = describe(certificate)
    result.claimed_identity = names[0] if names else None
    result.claimed_issuer = extensions.pop("issuer", None)


def note_proved(result: Verification, certificate: x509.Certificate) -> None:
    """Put the names and build facts of a certificate that was verified into ``result``."""
    names, extensions = names_of(certificate), extensions_of(certificate)
    result.authentic = True
    result.identities = names
    result.identity = names[0] if names else certificate.subject.rfc4514_string()
    result.issuer = extensions.pop("issuer", None)
    result.extensions = extensions


def verify_chain(
    leaf: x509.Certificate,
    intermediates: Iterable[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: datetime,
) -> None:
    """Check that ``leaf`` may sign artifacts and led to one of ``roots`` at the time ``at``.

    Revocation is not checked.  Raises :class:`Refused`.
    """
    _check_usage(leaf)
    if not leaf.not_valid_before_utc <= at <= leaf.not_valid_after_utc:
        raise Refused("certificate_not_valid_at_signing", f"at {rfc3339(at)}")
    # Signing certificates carry the code-signing usage that TLS policies refuse, private ones
    # often no alternative name; the leaf's own extensions are checked above instead.
    authority = ExtensionPolicy.webpki_defaults_ca().may_be_present(
        x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None
    )
    builder = PolicyBuilder().store(Store(list(roots))).time(at.replace(tzinfo=None))
    verifier = builder.extension_policies(
        ca_policy=authority, ee_policy=ExtensionPolicy.permit_all()
    ).build_client_verifier()
    try:
        verifier.verify(leaf, list(intermediates))
    except (VerificationError, ValueError, x509.UnsupportedGeneralNameType) as error:
        raise Refused("certificate_untrusted", str(error)) from None


def _check_usage(leaf: x509.Certificate) -> None:
    """RFC 5280 4.2.1.3 and 4.2.1.12: the key may make signatures, and is for signing code.

    A certificate for any purpose, or for none that it states, was not made to sign artifacts.
    """
    with contextlib.suppress(x509.ExtensionNotFound):
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        if not usage.digital_signature:
            raise Refused("certificate_invalid", "its key may not make signatures")
    try:
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        raise Refused(
            "certificate_invalid", "it does not say that it is for signing code"
        ) from None
    if ExtendedKeyUsageOID.CODE_SIGNING not in purposes:
        raise Refused("certificate_invalid", "it is not for signing code")
