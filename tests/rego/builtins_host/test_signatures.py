"""Signed tokens: those of our making verify, here and in the real OPA; changed ones do not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Call = Callable[..., Any]
CLAIMS = {"iss": "someone", "sub": "é", "n": 1}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, size: int = 0) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def pem(key: Any) -> str:
    encoded: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return encoded.decode()


def rsa_key() -> tuple[dict[str, str], str]:
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_numbers()
    names = {"d": private.d, "p": private.p, "q": private.q, "dp": private.dmp1}
    names |= {"dq": private.dmq1, "qi": private.iqmp}
    names |= {"n": private.public_numbers.n, "e": private.public_numbers.e}
    return {"kty": "RSA"} | {name: number(value) for name, value in names.items()}, pem(key)


def ec_key(curve: ec.EllipticCurve, name: str) -> tuple[dict[str, str], str]:
    key = ec.generate_private_key(curve)
    private = key.private_numbers()
    size = (curve.key_size + 7) // 8
    jwk = {
        "kty": "EC",
        "crv": name,
        "x": number(private.public_numbers.x, size),
        "y": number(private.public_numbers.y, size),
        "d": number(private.private_value, size),
    }
    return jwk, pem(key)


def ed_key() -> tuple[dict[str, str], str]:
    key = ed25519.Ed25519PrivateKey.generate()
    jwk = {"kty": "OKP", "crv": "Ed25519"}
    jwk["x"] = b64(key.public_key().public_bytes_raw())
    jwk["d"] = b64(key.private_bytes_raw())
    return jwk, pem(key)


@pytest.fixture(scope="module")
def keys() -> dict[str, tuple[dict[str, str], str]]:
    """For each algorithm a private JWK, and what verifies its signatures."""
    secret = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    shared = ({"kty": "oct", "k": b64(secret)}, secret.decode())
    of_rsa = rsa_key()
    found = {f"HS{size}": shared for size in (256, 384, 512)}
    found |= {f"{kind}{size}": of_rsa for kind in ("RS", "PS") for size in (256, 384, 512)}
    found["ES256"] = ec_key(ec.SECP256R1(), "P-256")
    found["ES384"] = ec_key(ec.SECP384R1(), "P-384")
    found["ES512"] = ec_key(ec.SECP521R1(), "P-521")
    found["EdDSA"] = ed_key()
    return found


def public(jwk: dict[str, str]) -> dict[str, str]:
    hidden = {"d", "p", "q", "dp", "dq", "qi"}
    return {name: value for name, value in jwk.items() if name not in hidden}


def verifier(algorithm: str) -> str:
    return f"io.jwt.verify_{algorithm.lower()}"


ALGORITHMS = [
    *(f"{kind}{size}" for kind in ("HS", "RS", "PS", "ES") for size in (256, 384, 512)),
    "EdDSA",
]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_tokens_verify(call: Call, keys: dict[str, Any], algorithm: str) -> None:
    jwk, verifying = keys[algorithm]
    token = call("io.jwt.encode_sign", {"alg": algorithm, "typ": "JWT"}, CLAIMS, jwk)
    assert call(verifier(algorithm), token, verifying) is True
    if jwk["kty"] != "oct":
        as_set = json.dumps({"keys": [public(jwk)]})
        assert call(verifier(algorithm), token, json.dumps(public(jwk))) is True
        assert call(verifier(algorithm), token, as_set) is True
    constraint = {"secret" if jwk["kty"] == "oct" else "cert": verifying}
    header = {"alg": algorithm, "typ": "JWT"}
    constraints = {**constraint, "alg": algorithm, "iss": "someone"}
    assert call("io.jwt.decode_verify", token, constraints) == [True, header, CLAIMS]
    for other in ({"alg": "HS257"}, {"iss": "other"}, {"aud": "x"}):
        assert call("io.jwt.decode_verify", token, constraints | other) == [False, {}, {}]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_changed_tokens_do_not_verify(call: Call, keys: dict[str, Any], algorithm: str) -> None:
    jwk, verifying = keys[algorithm]
    token = call("io.jwt.encode_sign", {"alg": algorithm}, CLAIMS, jwk)
    header, _, signature = token.split(".")
    changed = ".".join([header, b64(b'{"iss":"other"}'), signature])
    assert call(verifier(algorithm), changed, verifying) is False
    assert call(verifier(algorithm), f"{header}.{_}.{b64(b'short')}", verifying) is False
    assert call(verifier(algorithm), f"{header}.{_}.", verifying) is False


def test_raw_tokens_keep_their_text(call: Call, keys: dict[str, Any]) -> None:
    jwk, verifying = keys["ES256"]
    header, payload = '{ "typ":"JWT","alg":"ES256"}', '{"b":1,  "a":2}'
    token = call("io.jwt.encode_sign_raw", header, payload, json.dumps(jwk))
    assert token.split(".")[:2] == [b64(header.encode()), b64(payload.encode())]
    assert call("io.jwt.verify_es256", token, verifying) is True


def test_opa_verifies_our_tokens(
    call: Call, keys: dict[str, Any], opa: Any, tmp_path: Path
) -> None:
    calls = []
    for algorithm in ALGORITHMS:
        jwk, verifying = keys[algorithm]
        token = call("io.jwt.encode_sign", {"alg": algorithm}, CLAIMS, jwk)
        calls.append((verifier(algorithm), [token, verifying]))
    assert opa.answers(calls, tmp_path) == [True] * len(calls)
