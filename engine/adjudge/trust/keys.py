"""Public keys in PEM or DER, and plain signatures by them over bytes or a digest.

ECDSA (P-256, P-384, P-521), Ed25519 and RSA (PKCS #1 v1.5 and PSS, 2,048 bits or more), with
SHA-256, SHA-384 or SHA-512.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from adjudge.errors import InputError
from adjudge.trust.artifact import Artifact

VerifyKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

_HASHES: dict[str, type[hashes.SHA256] | type[hashes.SHA384] | type[hashes.SHA512]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_CURVES = {
    "secp256r1": ("ecdsa-p256", "sha256"),
    "secp384r1": ("ecdsa-p384", "sha384"),
    "secp521r1": ("ecdsa-p521", "sha512"),
}
_MIN_RSA_BITS = 2048


@dataclass(frozen=True)
class PublicKey:
    """A trusted key: ``name`` as in the settings, ``key_id`` the SHA-256 (hex) of its SPKI."""

    name: str
    key: VerifyKey
    key_id: str
    algorithm: str


def load_public_key(data: bytes, name: str) -> PublicKey:
    """The public key in ``data``: PEM (text around it is ignored), DER, or a PEM certificate.

    Raises InputError ``key_unusable`` for anything else and for keys too weak to trust.
    """
    key: object
    try:
        if b"-----BEGIN CERTIFICATE-----" in data:
            key = x509.load_pem_x509_certificate(data).public_key()
        elif b"-----BEGIN" in data:
            key = load_pem_public_key(data[data.index(b"-----BEGIN") :])
        else:
            key = load_der_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unusable(name, "it is not a public key in PEM or DER form") from None
    problem = weakness(key)
    if problem is not None or not isinstance(key, VerifyKey):
        raise _unusable(name, problem or "its algorithm is not supported")
    return PublicKey(name, key, key_id_of(key), algorithm_of(key))


def _unusable(name: str, why: str) -> InputError:
    return InputError(
        "key_unusable",
        f"the trusted key {name} cannot be used: {why}",
        hint="give a PEM public key: ECDSA P-256, P-384 or P-521, Ed25519, or RSA of 2,048 bits "
        "or more",
    )


def weakness(key: object) -> str | None:
    """Why ``key`` may not verify anything, or None."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return None
    if isinstance(key, ec.EllipticCurvePublicKey):
        return None if key.curve.name in _CURVES else f"the curve {key.curve.name} is not supported"
    if isinstance(key, rsa.RSAPublicKey):
        short = key.key_size < _MIN_RSA_BITS
        return f"RSA of {key.key_size} bits is too weak" if short else None
    return "its algorithm is not supported"


def key_id_of(key: VerifyKey) -> str:
    """SHA-256 (hex) of the key's SubjectPublicKeyInfo in DER."""
    return hashlib.sha256(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()


def algorithm_of(key: VerifyKey) -> str:
    """The algorithm as facts name it: ``ecdsa-p256``, ``ed25519``, ``rsa-3072`` and so on."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES[key.curve.name][0]
    return "ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else f"rsa-{key.key_size}"


def fits(key: VerifyKey, signature: bytes, message: Artifact) -> bool:
    """Whether ``signature`` over ``message`` is by ``key``.

    For ECDSA the digest that belongs to the curve is tried, then SHA-256, which signing tools
    use with every curve; for RSA the three digests, each with both paddings.
    """
    if isinstance(key, ed25519.Ed25519PublicKey):
        with message.data() as data:
            return _ed25519_fits(key, signature, data)
    if isinstance(key, ec.EllipticCurvePublicKey):
        own = _CURVES[key.curve.name][1]
        return any(_ecdsa_fits(key, signature, message, h) for h in dict.fromkeys((own, "sha256")))
    return any(_rsa_fits(key, signature, message, h) for h in _HASHES)


def _ed25519_fits(key: ed25519.Ed25519PublicKey, signature: bytes, data: object) -> bool:
    try:
        key.verify(signature, data)  # type: ignore[arg-type]  # any buffer does, mmap too
    except (InvalidSignature, ValueError):
        return False
    return True


def _ecdsa_fits(
    key: ec.EllipticCurvePublicKey, signature: bytes, message: Artifact, algorithm: str
) -> bool:
    try:
        key.verify(signature, message.digest(algorithm), ec.ECDSA(Prehashed(_HASHES[algorithm]())))
    except (InvalidSignature, ValueError):
        return False
    return True


def _rsa_fits(key: rsa.RSAPublicKey, signature: bytes, message: Artifact, algorithm: str) -> bool:
    digest, used = message.digest(algorithm), _HASHES[algorithm]()
    paddings: tuple[padding.AsymmetricPadding, ...] = (
        padding.PKCS1v15(),
        padding.PSS(padding.MGF1(used), padding.PSS.AUTO),
    )
    for pad in paddings:
        try:
            key.verify(signature, digest, pad, Prehashed(used))
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def keys_that_fit(
    keys: Iterable[PublicKey], signature: bytes, message: Artifact
) -> list[PublicKey]:
    """Those of ``keys`` that made ``signature`` over ``message``."""
    return [k for k in keys if fits(k.key, signature, message)]


def decode_signature(raw: bytes) -> bytes:
    """The signature in a plain signature file: base64 text as cosign writes it, or the bytes."""
    text = b"".join(raw.split())
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return raw
    return decoded or raw
