"""``io.jwt.*``: consume JSON web tokens, keys and constraints; produce parts, verdicts, tokens.

Keys are a PEM certificate, a PEM public key, a JWK or a JWK set.  Nested tokens are
followed to the innermost one (RFC 7519 §7.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from adjudge.rego.builtins import certificates, gobase64, jwk, jws, keys, pem
from adjudge.rego.builtins.json_text import is_valid, parse_json
from adjudge.rego.builtins.jwk import Jwk
from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    want_object,
    want_string,
)
from adjudge.rego.runtime.text import to_json_text, utf8_bytes, utf8_text
from adjudge.rego.runtime.values import Value, compare, is_number, sorted_items

_CACHED_KEYS: Final = 100


# -- parts ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Token:
    """The three parts of a token, still encoded."""

    header: str
    payload: str
    signature: str

    @property
    def signed(self) -> bytes:
        return utf8_bytes(f"{self.header}.{self.payload}")

    def decoded_header(self) -> dict[Any, Value]:
        """The header; BuiltinError if it is not one or the token is encrypted."""
        text = _decoded(self.header, "header")
        try:
            header = _json_object(text)
        except BuiltinError as err:
            raise BuiltinError(f"bad JWT header: {err.message}") from None
        if "enc" in header:
            raise BuiltinError("JWT is a JWE object, which is not supported")
        return header


def _split(token: Value) -> _Token:
    text = want_string(token, 1)
    parts = text.split(".")
    if len(parts) == 1:
        raise BuiltinError("encoded JWT had no period separators")
    if len(parts) != 3:
        raise BuiltinError(f"encoded JWT must have 3 sections, found {len(parts)}")
    return _Token(*parts)


def _decoded(part: str, name: str) -> str:
    try:
        return utf8_text(gobase64.decode_url_unpadded(part))
    except BuiltinError as err:
        raise BuiltinError(f"JWT {name} had invalid encoding: {err.message}") from None


def _json_object(text: str) -> dict[Any, Value]:
    """The object that a JSON text is; of equal keys the last counts."""
    try:
        found = parse_json(text)
    except BuiltinError as err:
        raise BuiltinError(f"invalid JSON: {err.message}") from None
    if not isinstance(found, dict):
        raise BuiltinError("decoded JSON type was not an Object")
    return found


@dataclass(frozen=True)
class _Header:
    """The header parameters that matter; ``known`` is false if a critical one is unknown."""

    algorithm: str = ""
    key: str = ""
    content: str = ""
    known: bool = True


def _read_header(header: dict[Any, Value]) -> _Header:
    texts = {"alg": "", "kid": "", "typ": "", "cty": ""}
    critical: set[str] = set()
    unknown: list[str] = []
    for name, value in sorted_items(header):
        if name in texts:
            if not isinstance(value, str):
                raise BuiltinError(f"{name}: must be a string")
            texts[name] = value
        elif name == "crit":
            critical = _read_critical(value)
        else:
            unknown.append(name)
    known = critical.isdisjoint(unknown)
    return _Header(texts["alg"], texts["kid"], texts["cty"], known)


def _read_critical(value: Value) -> set[str]:
    if value.__class__ is not list:
        raise BuiltinError("crit: must be a list")
    names: set[str] = set()
    for name in value:
        if not isinstance(name, str):
            break
        names.add(name)
    if not names:
        raise BuiltinError("crit: must be a nonempty list")
    return names


# -- keys ----------------------------------------------------------------------------


def _load_keys(ctx: BuiltinContext, text: str) -> list[Jwk]:
    """The keys to verify with, parsed once in an evaluation."""
    known: dict[str, list[Jwk]] = ctx.cache.setdefault("io.jwt keys", {})
    found = known.get(text)
    if found is None:
        found = _parse_keys(text)
        if len(known) < _CACHED_KEYS:
            known[text] = found
    return found


def _parse_keys(text: str) -> list[Jwk]:
    block, rest = pem.decode(utf8_bytes(text))
    if block is None:
        try:
            parsed = jwk.parse(text)
        except BuiltinError as err:
            if not err.message.startswith("jwk.Parse"):
                raise
            raise BuiltinError(
                "failed to parse a JWK key (set): jwk.ParseString: failed to parse string: "
                + err.message
            ) from None
        return [key for key in parsed if not key.algorithm or key.algorithm in jws.ALGORITHMS]
    if rest:
        raise BuiltinError("extra data after a PEM certificate block")
    if block.label == "CERTIFICATE":
        try:
            cert = certificates.parse_certificate(block.data)
            spki: bytes = cert["RawSubjectPublicKeyInfo"]
            return [Jwk(keys.public_key(spki), "", "")]
        except BuiltinError as err:
            raise BuiltinError(f"failed to parse a PEM certificate: {err.message}") from None
    if block.label == "PUBLIC KEY":
        try:
            return [Jwk(keys.public_key(block.data), "", "")]
        except BuiltinError as err:
            raise BuiltinError(f"failed to parse a PEM public key: {err.message}") from None
    raise BuiltinError("failed to extract a Key from the PEM certificate")


def _any_verifies(
    candidates: list[Jwk], identifier: str, algorithm: str, verifies: Callable[[Any], bool]
) -> bool:
    """Whether a key holds: the one that the token names if it is there, else any whose
    algorithm is the token's or not stated."""
    if identifier:
        for candidate in candidates:
            if candidate.identifier == identifier:
                return verifies(candidate.key)
    return any(
        verifies(candidate.key)
        for candidate in candidates
        if candidate.algorithm in ("", algorithm)
    )


# -- decoding and verifying ----------------------------------------------------------


@builtin("io.jwt.decode")
def decode(token: Value) -> Value:
    """``[header, payload, signature in hexadecimal]``; nothing is verified."""
    while True:
        parts = _split(token)
        header = parts.decoded_header()
        payload = _decoded(parts.payload, "payload")
        if header.get("cty") != "JWT":
            break
        # A nested token may stand in quotes.
        token = payload.strip("\"'")
    claims = _json_object(payload)
    signature = _decoded(parts.signature, "signature")
    return [header, claims, utf8_bytes(signature).hex()]


def _verify_by_key(ctx: BuiltinContext, token: Value, key: Value, algorithm: str) -> bool:
    parts = _split(token)
    candidates = _load_keys(ctx, want_string(key, 2))
    signature = gobase64.decode_url_unpadded(parts.signature)
    header = _read_header(parts.decoded_header())

    def verifies(candidate: Any) -> bool:
        return jws.verify(candidate, algorithm, parts.signed, signature)

    return _any_verifies(candidates, header.key, header.algorithm, verifies)


def _declare_key_verifiers() -> None:
    names = [f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)]
    for algorithm in (*names, "EdDSA"):

        def verifier(
            ctx: BuiltinContext, token: Value, key: Value, *, algorithm: str = algorithm
        ) -> Value:
            return _verify_by_key(ctx, token, key, algorithm)

        builtin(f"io.jwt.verify_{algorithm.lower()}", context=True)(verifier)


_declare_key_verifiers()


def _verify_by_secret(token: Value, secret: Value, algorithm: str) -> bool:
    want_string(token, 1)
    key = utf8_bytes(want_string(secret, 2))
    parts = _split(token)
    signature = gobase64.decode_url_unpadded(parts.signature)
    return jws.verify_hmac(key, algorithm, parts.signed, signature)


@builtin("io.jwt.verify_hs256")
def verify_hs256(token: Value, secret: Value) -> Value:
    """Whether the secret signed the token by HMAC-SHA256."""
    return _verify_by_secret(token, secret, "HS256")


@builtin("io.jwt.verify_hs384")
def verify_hs384(token: Value, secret: Value) -> Value:
    """Whether the secret signed the token by HMAC-SHA384."""
    return _verify_by_secret(token, secret, "HS384")


@builtin("io.jwt.verify_hs512")
def verify_hs512(token: Value, secret: Value) -> Value:
    """Whether the secret signed the token by HMAC-SHA512."""
    return _verify_by_secret(token, secret, "HS512")


@dataclass
class _Constraints:
    """What a token must meet: one of ``keys`` and ``secret``, and the rest where given."""

    keys: list[Jwk] | None = None
    secret: str = ""
    alg: str = ""
    iss: str = ""
    aud: str = ""
    seconds: float = 0.0

    def verifies(self, header: _Header, parts: _Token, signature: bytes) -> bool:
        message = parts.signed
        if self.keys is None:
            return jws.verify(utf8_bytes(self.secret), header.algorithm, message, signature)

        def verifies(candidate: Any) -> bool:
            public = jws.public_half(candidate)
            return jws.verify(public, header.algorithm, message, signature, strict=True)

        return _any_verifies(self.keys, header.key, header.algorithm, verifies)

    def met_by(self, claims: dict[Any, Value]) -> bool:
        """Whether issuer, audience and times are right; BuiltinError if a time is no number."""
        if self.iss and claims.get("iss") != self.iss:
            return False
        if "aud" in claims:
            aud = claims["aud"]
            named = aud if aud.__class__ is list else [aud]
            if not any(isinstance(a, str) and a == self.aud for a in named):
                return False
        elif self.aud:
            return False
        if "exp" in claims and self._compare_time(claims, "exp") >= 0:
            return False
        return "nbf" not in claims or self._compare_time(claims, "nbf") >= 0

    def _compare_time(self, claims: dict[Any, Value], name: str) -> int:
        if not is_number(claims[name]):
            raise BuiltinError(f"{name} value must be a number")
        return compare(self.seconds, claims[name])


def _float64(number: Value) -> float:
    try:
        found = float(number)
    except OverflowError:
        found = math.inf
    if math.isinf(found):
        raise BuiltinError("token time constraint: unvalid float64")
    return found


def _read_constraints(ctx: BuiltinContext, given: dict[Any, Value]) -> _Constraints:
    constraints = _Constraints()
    ns: Value = ctx.now_ns
    for name, value in sorted_items(given):
        if name == "cert":
            if not isinstance(value, str):
                raise BuiltinError("cert constraint: must be a string")
            constraints.keys = _load_keys(ctx, value)
        elif name in ("secret", "alg", "iss", "aud"):
            if not isinstance(value, str):
                raise BuiltinError(f"{name} constraint: must be a string")
            setattr(constraints, name, value)
        elif name == "time":
            ns = value
        else:
            raise BuiltinError(f"unknown token validation constraint: {name}")
    if not is_number(ns):
        raise BuiltinError("token time constraint: must be a number")
    constraints.seconds = _float64(ns) / 1e9
    if constraints.seconds < 0:
        raise BuiltinError("token time constraint: must not be negative")
    if constraints.keys is not None and constraints.secret:
        raise BuiltinError("duplicate key constraints")
    if constraints.keys is None and not constraints.secret:
        raise BuiltinError("no key constraint")
    return constraints


@builtin("io.jwt.decode_verify", context=True, nondeterministic=True)
def decode_verify(ctx: BuiltinContext, token: Value, constraints: Value) -> Value:
    """``[true, header, payload]`` if the signature holds and all constraints are met, else
    ``[false, {}, {}]``."""
    wanted = _read_constraints(ctx, want_object(constraints, 2))
    while True:
        parts = _split(token)
        shown = parts.decoded_header()
        header = _read_header(shown)
        if not header.algorithm or not header.known:
            return [False, {}, {}]
        if wanted.alg and wanted.alg != header.algorithm:
            return [False, {}, {}]
        signature = gobase64.decode_url_unpadded(parts.signature)
        if not wanted.verifies(header, parts, signature):
            return [False, {}, {}]
        payload = _decoded(parts.payload, "payload")
        if header.content.lower() != "jwt":
            break
        token = payload
    claims = _json_object(payload)
    return [True, shown, claims] if wanted.met_by(claims) else [False, {}, {}]


# -- signing -------------------------------------------------------------------------


@builtin("io.jwt.encode_sign", nondeterministic=True)
def encode_sign(headers: Value, payload: Value, key: Value) -> Value:
    """The token of a header and a payload, both written as JSON, signed with a JWK."""
    return _signed(to_json_text(headers), to_json_text(payload), to_json_text(key))


@builtin("io.jwt.encode_sign_raw", nondeterministic=True)
def encode_sign_raw(headers: Value, payload: Value, key: Value) -> Value:
    """The token of a header and a payload as they are written, signed with a JWK."""
    secret = want_string(key, 3)
    header = want_string(headers, 1)
    return _signed(header, want_string(payload, 2), secret)


def _signed(header: str, payload: str, key: str) -> str:
    found = jwk.parse(key)
    if not found:
        raise BuiltinError("no keys found in JWK set")
    algorithm, kind = _header_texts(header)
    if algorithm not in jws.ALGORITHMS:
        raise BuiltinError(f"unknown JWS algorithm: {algorithm}")
    if kind in (None, "JWT") and not is_valid(payload):
        raise BuiltinError("type is JWT but payload is not JSON")
    parts = [gobase64.encode_url(utf8_bytes(part)) for part in (header, payload)]
    signature = jws.sign(found[0].key, algorithm, ".".join(parts).encode())
    return ".".join([*parts, gobase64.encode_url(signature)])


def _header_texts(header: str) -> tuple[str, str | None]:
    """``alg`` and, if it is a text, ``typ`` of a header."""
    start = "missing or invalid 'alg' header: "
    if not header:
        raise BuiltinError(
            f'{start}cannot parse JSON: cannot parse empty string; unparsed tail: ""'
        )
    try:
        parsed = parse_json(header)
    except BuiltinError as err:
        # The reader that OPA has for headers takes what has the letters of a number for one.
        if header.strip(" \t\r\n").strip("0123456789+-.eE"):
            raise BuiltinError(f"{start}cannot parse JSON: {err.message}") from None
        parsed = 0
    if not isinstance(parsed, dict) or "alg" not in parsed:
        raise BuiltinError(f'{start}jwsbb: header "alg" not found')
    algorithm, kind = parsed["alg"], parsed.get("typ")
    if not isinstance(algorithm, str):
        raise BuiltinError(
            f"{start}value doesn't contain string; it contains {_json_type(algorithm)}"
        )
    return algorithm, kind if isinstance(kind, str) else None


def _json_type(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "number"
