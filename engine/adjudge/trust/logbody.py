"""What a transparency log entry says was signed: the entry's body in, its claims out.

Rekor's entry kinds ``hashedrekord`` 0.0.1 and 0.0.2, ``dsse`` 0.0.1 and ``intoto`` 0.0.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from adjudge.trust.artifact import Artifact
from adjudge.trust.bundle import LogEntry
from adjudge.trust.parsing import decode_base64, field, parse_json
from adjudge.trust.reasons import Refused

_HASHES = {"sha256", "sha384", "sha512"}
_V2_HASHES = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}


@dataclass(frozen=True)
class Logged:
    """What an entry is about.  ``of_payload``: the digest is of the DSSE payload alone."""

    algorithm: str
    digest: bytes
    of_payload: bool
    signatures: tuple[tuple[bytes, bytes], ...]
    """Pairs of a signature and its verifier: the DER of a certificate or public key."""


def check_entry(
    entry: LogEntry, signature: bytes, signed: Artifact, payload: bytes | None, verifier: bytes
) -> None:
    """Check that the entry is about this signature, over these bytes, by this verifier.

    ``signed`` is what the signature is over, ``payload`` the DSSE payload if there is one,
    ``verifier`` the DER of the signer's certificate or public key.
    Raises :class:`Refused` (``log_entry_mismatch``).
    """
    try:
        logged = _read(entry)
    except Refused as refused:
        raise Refused("log_entry_mismatch", refused.reason) from None
    about = Artifact.of_bytes(payload) if logged.of_payload and payload is not None else signed
    if logged.of_payload and payload is None:
        raise Refused("log_entry_mismatch", "it is about an envelope")
    if about.digest(logged.algorithm) != logged.digest:
        raise Refused("log_entry_mismatch", "it names another digest")
    if (signature, verifier) not in logged.signatures:
        raise Refused("log_entry_mismatch", "it names another signature or signer")


def _read(entry: LogEntry) -> Logged:
    body = parse_json(entry.body)
    spec = field(body, dict, "spec")
    if (field(body, str, "kind"), field(body, str, "apiVersion")) != (entry.kind, entry.version):
        raise Refused("malformed", "the entry names another kind than its body")
    match entry.kind, entry.version:
        case "hashedrekord", "0.0.1":
            return _hashedrekord(spec)
        case "hashedrekord", "0.0.2":
            return _hashedrekord_v2(field(spec, dict, "hashedRekordV002"))
        case "dsse", "0.0.1":
            return _dsse(spec)
        case "intoto", "0.0.2":
            return _intoto(field(spec, dict, "content"))
    raise Refused("unsupported_format", f"{entry.kind[:40]}/{entry.version[:20]}")


def _hashedrekord(spec: dict[str, Any]) -> Logged:
    algorithm, digest = _hash(field(spec, dict, "data", "hash"))
    content = field(spec, dict, "signature")
    pem = decode_base64(field(content, str, "publicKey", "content"), "the log entry's key")
    signature = decode_base64(field(content, str, "content"), "the log entry's signature")
    return Logged(algorithm, digest, False, ((signature, _pem_to_der(pem)),))


def _hashedrekord_v2(spec: dict[str, Any]) -> Logged:
    algorithm = _V2_HASHES.get(field(spec, str, "data", "algorithm"))
    if algorithm is None:
        raise Refused("malformed", "its digest algorithm is not supported")
    digest = decode_base64(field(spec, str, "data", "digest"), "the log entry's digest")
    verifier = field(spec, dict, "signature", "verifier")
    held = verifier.get("x509Certificate") or verifier.get("publicKey")
    der = decode_base64(field(held, str, "rawBytes"), "the log entry's key")
    signature = decode_base64(field(spec, str, "signature", "content"), "the signature")
    return Logged(algorithm, digest, False, ((signature, der),))


def _dsse(spec: dict[str, Any]) -> Logged:
    algorithm, digest = _hash(field(spec, dict, "payloadHash"))
    signatures = tuple(
        (
            decode_base64(field(s, str, "signature"), "the log entry's signature"),
            _pem_to_der(decode_base64(field(s, str, "verifier"), "the log entry's key")),
        )
        for s in field(spec, list, "signatures")
    )
    return Logged(algorithm, digest, True, signatures)


def _intoto(content: dict[str, Any]) -> Logged:
    algorithm, digest = _hash(field(content, dict, "payloadHash"))
    signatures = []
    for item in field(content, list, "envelope", "signatures"):
        # This kind of entry encodes the envelope's base64 text once more.
        inner = decode_base64(field(item, str, "sig"), "the log entry's signature")
        signature = decode_base64(inner.decode("ascii", "replace"), "the log entry's signature")
        pem = decode_base64(field(item, str, "publicKey"), "the log entry's key")
        signatures.append((signature, _pem_to_der(pem)))
    return Logged(algorithm, digest, True, tuple(signatures))


def _hash(value: dict[str, Any]) -> tuple[str, bytes]:
    algorithm = field(value, str, "algorithm")
    if algorithm not in _HASHES:
        raise Refused("malformed", "its digest algorithm is not supported")
    try:
        return algorithm, bytes.fromhex(field(value, str, "value"))
    except ValueError:
        raise Refused("malformed", "its digest is not hexadecimal") from None


def _pem_to_der(pem: bytes) -> bytes:
    """The DER of a PEM certificate or public key; keys are normalised to their SPKI."""
    try:
        if b"BEGIN CERTIFICATE" in pem:
            return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
        if pem.startswith(b"-----"):
            key = load_pem_public_key(pem)
        else:
            key = load_der_public_key(pem)
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused("malformed", "its key cannot be read") from None
