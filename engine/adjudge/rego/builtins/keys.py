"""Keys: consumes PEM and DER, produces ``cryptography`` keys, and keys as Go's JSON and as JWKs.

Imports the cryptography library, so only what needs keys imports this module.
"""

from __future__ import annotations

import base64
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from adjudge.rego.builtins import der, gobase64, pem
from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.runtime.text import utf8_bytes

RSA_OID: Final = (1, 2, 840, 113549, 1, 1, 1)
DSA_OID: Final = (1, 2, 840, 10040, 4, 1)
EC_OID: Final = (1, 2, 840, 10045, 2, 1)
ED25519_OID: Final = (1, 3, 101, 112)
X25519_OID: Final = (1, 3, 101, 110)

# The name in a JWK and the bytes of a coordinate; None where there is no JWK for the curve.
_CURVES: Final[dict[str, tuple[str | None, int]]] = {
    "secp224r1": (None, 28),
    "secp256r1": ("P-256", 32),
    "secp384r1": ("P-384", 48),
    "secp521r1": ("P-521", 66),
}
_CURVE_OIDS: Final[dict[tuple[int, ...], str]] = {
    (1, 3, 132, 0, 33): "P224",
    (1, 2, 840, 10045, 3, 1, 7): "P256",
    (1, 3, 132, 0, 34): "P384",
    (1, 3, 132, 0, 35): "P521",
}
_PRIVATE_LABELS: Final = ("RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY")


# -- reading -------------------------------------------------------------------------


def private_keys(text: str) -> list[Any]:
    """The private keys among the PEM blocks of a text, which may be base64 of such a text.

    Blocks of other kinds are passed over; a malformed key is an error.
    """
    try:
        rest = gobase64.decode(text)
    except BuiltinError:
        rest = utf8_bytes(text)
    found: list[Any] = []
    while rest:
        block, after = pem.decode(rest)
        if block is None:
            break
        rest = after
        if block.label in _PRIVATE_LABELS:
            found.append(private_key(block.data))
    return found


def private_key(data: bytes) -> Any:
    """The private key in DER: PKCS #8, PKCS #1 or SEC 1."""
    try:
        key = load_der_private_key(data, None)
    except UnsupportedAlgorithm:
        raise BuiltinError("x509: unknown private key algorithm") from None
    except (ValueError, TypeError):
        raise BuiltinError("x509: failed to parse private key") from None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name not in _CURVES:
        raise BuiltinError("x509: unknown elliptic curve")
    kinds = (
        rsa.RSAPrivateKey,
        ec.EllipticCurvePrivateKey,
        ed25519.Ed25519PrivateKey,
        x25519.X25519PrivateKey,
    )
    if not isinstance(key, kinds):
        raise BuiltinError(
            "x509: PKCS#8 wrapping contained private key with unknown algorithm: "
            + _algorithm_oid(data)
        )
    return key


def _algorithm_oid(data: bytes) -> str:
    try:
        info = der.Reader(data).into()
        info.integer()
        return der.dotted(info.into().oid())
    except der.DerError:
        return "unknown"


def public_key(spki: bytes) -> Any:
    """The public key in DER's SubjectPublicKeyInfo; BuiltinError says what is wrong with it."""
    with der.saying("x509: malformed spki"):
        info = der.Reader(spki).into()
        algorithm = info.into()
        oid = algorithm.oid()
        info.bits()
    curve = None
    if oid == EC_OID:
        with der.saying("x509: invalid ECDSA parameters"):
            curve = _CURVE_OIDS.get(algorithm.oid())
        if curve is None:
            raise BuiltinError("x509: unsupported elliptic curve")
    try:
        return load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        message = f"{curve} point not on curve" if curve else "x509: invalid public key"
        raise BuiltinError(message) from None


# -- Go's structs in JSON ------------------------------------------------------------


def public_object(spki: bytes) -> Any:
    """The public key of a SubjectPublicKeyInfo as Go writes its struct: numbers for RSA, EC
    and DSA, base64 for Ed25519.  RSA and DSA numbers are shown even if no key can have them."""
    with der.saying("x509: malformed spki"):
        info = der.Reader(spki).into()
        algorithm = info.into()
        oid = algorithm.oid()
        data = info.aligned_bits()
    if oid == RSA_OID:
        return _rsa_object(data)
    if oid == DSA_OID:
        with der.saying("x509: invalid DSA parameters"):
            parameters = algorithm.into()
            numbers = {name: parameters.integer() for name in ("P", "Q", "G")}
        with der.saying("x509: invalid DSA public key"):
            numbers["Y"] = der.Reader(data).integer()
        if min(numbers.values()) <= 0:
            raise BuiltinError("x509: zero or negative DSA parameter")
        return numbers
    return _key_object(public_key(spki))


def _rsa_object(data: bytes) -> Any:
    with der.saying("x509: invalid RSA public key"):
        numbers = der.Reader(data).into()
    with der.saying("x509: invalid RSA modulus"):
        modulus = numbers.integer()
    with der.saying("x509: invalid RSA public exponent"):
        exponent = numbers.integer()
        if exponent >= 1 << 63:
            raise der.DerError
    for number, what in ((modulus, "modulus"), (exponent, "public exponent")):
        if number <= 0:
            raise BuiltinError(f"x509: RSA {what} is not a positive number")
    return {"N": modulus, "E": exponent}


def _key_object(key: Any) -> Any:
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"N": numbers.n, "E": numbers.e}
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        return {"Curve": {}, "X": point.x, "Y": point.y}
    return base64.b64encode(_raw_public(key)).decode()


def private_object(key: Any) -> Any:
    """A private key as Go writes its struct."""
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        return {
            **_key_object(key.public_key()),
            "D": numbers.d,
            "Primes": [numbers.p, numbers.q],
            "Precomputed": {
                "Dp": numbers.dmp1,
                "Dq": numbers.dmq1,
                "Qinv": numbers.iqmp,
                "CRTValues": [],
            },
        }
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {**_key_object(key.public_key()), "D": key.private_numbers().private_value}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return base64.b64encode(_raw_private(key) + _raw_public(key.public_key())).decode()
    return {}


def _raw_public(key: Any) -> bytes:
    raw: bytes = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return raw


def _raw_private(key: Any) -> bytes:
    raw: bytes = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return raw


# -- JSON web keys -------------------------------------------------------------------


def _number(value: int, size: int = 0) -> str:
    return gobase64.encode_url(value.to_bytes(size or (value.bit_length() + 7) // 8))


def private_jwk(key: Any) -> dict[str, Any]:
    """A private key as a JSON web key (RFC 7517)."""
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        public = numbers.public_numbers
        return {
            "kty": "RSA",
            "n": _number(public.n),
            "e": _number(public.e),
            "d": _number(numbers.d),
            "p": _number(numbers.p),
            "q": _number(numbers.q),
            "dp": _number(numbers.dmp1),
            "dq": _number(numbers.dmq1),
            "qi": _number(numbers.iqmp),
        }
    if isinstance(key, ec.EllipticCurvePrivateKey):
        curve, size = _CURVES[key.curve.name]
        if curve is None:
            raise BuiltinError(
                "jwk: failed to get algorithm for converting ECDSA private key "
                "to JWK: unknown elliptic curve"
            )
        point = key.public_key().public_numbers()
        return {
            "kty": "EC",
            "crv": curve,
            "x": _number(point.x, size),
            "y": _number(point.y, size),
            "d": _number(key.private_numbers().private_value, size),
        }
    return {
        "kty": "OKP",
        "crv": "Ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "X25519",
        "x": gobase64.encode_url(_raw_public(key.public_key())),
        "d": gobase64.encode_url(_raw_private(key)),
    }
