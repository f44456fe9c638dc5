"""JSON web signatures (RFC 7515, 7518, 8037): consumes keys and bytes, produces signatures and
verdicts.

A key only ever serves the algorithms of its own kind: a public key is never taken for
the secret of an HMAC.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from adjudge.rego.builtins.registry import BuiltinError

ALGORITHMS: Final = frozenset(
    [f"{family}{bits}" for family in ("RS", "PS", "ES", "HS") for bits in (256, 384, 512)]
    + ["EdDSA"]
)
_HASHES: Final[dict[str, Any]] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}


def _mac(key: bytes, algorithm: str, message: bytes) -> bytes:
    return hmac.new(key, message, getattr(hashlib, f"sha{algorithm[2:]}")).digest()


def verify_hmac(key: bytes, algorithm: str, message: bytes, signature: bytes) -> bool:
    """Whether the code is that of the message; ``algorithm`` is one of the HS family."""
    return hmac.compare_digest(_mac(key, algorithm, message), signature)


def verify(
    key: Any, algorithm: str, message: bytes, signature: bytes, *, strict: bool = False
) -> bool:
    """Whether the key signed the message by the algorithm; false if it is not for the algorithm.

    ``strict`` wants RSA-PSS salts of the length of the hash, and EC signatures of the length
    of the curve.
    """
    if algorithm not in ALGORITHMS:
        return False
    try:
        if isinstance(key, bytes):
            return algorithm[:2] == "HS" and verify_hmac(key, algorithm, message, signature)
        return _verify_asymmetric(key, algorithm, message, signature, strict)
    except (InvalidSignature, ValueError):
        return False


def _verify_asymmetric(
    key: Any, algorithm: str, message: bytes, signature: bytes, strict: bool
) -> bool:
    family = algorithm[:2]
    digest: Any = _HASHES.get(algorithm[2:])
    if isinstance(key, rsa.RSAPublicKey) and family in ("RS", "PS"):
        scheme: Any = padding.PKCS1v15()
        if family == "PS":
            salt = digest.digest_size if strict else padding.PSS.AUTO
            scheme = padding.PSS(padding.MGF1(digest), salt)
        key.verify(signature, message, scheme, digest)
        return True
    if isinstance(key, ec.EllipticCurvePublicKey) and family == "ES":
        half = (key.curve.key_size + 7) // 8 if strict else len(signature) // 2
        if strict and len(signature) != 2 * half:
            return False
        r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(digest))
        return True
    if isinstance(key, ed25519.Ed25519PublicKey) and algorithm == "EdDSA":
        key.verify(signature, message)
        return True
    return False


def public_half(key: Any) -> Any:
    """The public key of a private one; anything else as it is."""
    return key.public_key() if hasattr(key, "public_key") else key


def sign(key: Any, algorithm: str, message: bytes) -> bytes:
    """The signature of the message; BuiltinError if the key is not for the algorithm.

    All signatures but RSA-PSS, whose salt is random, are the same each time.
    """
    family = algorithm[:2]
    digest: Any = _HASHES.get(algorithm[2:])
    if isinstance(key, bytes) and family == "HS":
        return _mac(key, algorithm, message)
    if isinstance(key, rsa.RSAPrivateKey) and family in ("RS", "PS"):
        scheme: Any = padding.PKCS1v15()
        if family == "PS":
            scheme = padding.PSS(padding.MGF1(digest), digest.digest_size)
        try:
            return key.sign(message, scheme, digest)
        except ValueError:
            raise BuiltinError("jwsbb.Sign: the RSA key is too short for the hash") from None
    if isinstance(key, ec.EllipticCurvePrivateKey) and family == "ES":
        size = (key.curve.key_size + 7) // 8
        signature = key.sign(message, ec.ECDSA(digest, deterministic_signing=True))
        r, s = decode_dss_signature(signature)
        return r.to_bytes(size) + s.to_bytes(size)
    if isinstance(key, ed25519.Ed25519PrivateKey) and algorithm == "EdDSA":
        return key.sign(message)
    wanted = {"HS": "[]byte", "RS": "*rsa.PrivateKey", "PS": "*rsa.PrivateKey"}
    wanted |= {"ES": "*ecdsa.PrivateKey", "Ed": "ed25519.PrivateKey"}
    raise BuiltinError(f"jwsbb.Sign: invalid key type. {wanted[family]} is required")
