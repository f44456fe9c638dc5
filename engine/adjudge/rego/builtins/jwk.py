"""JSON web keys (RFC 7517): consumes the text of a key or a key set, produces keys to verify and
sign with.

The errors begin as those of OPA's library do; what follows is in the words of this module
where the library only describes its own insides.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from adjudge.rego.builtins import gobase64
from adjudge.rego.builtins.json_text import parse_json
from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.runtime.text import go_quote

_CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
_FIELDS: Final = {"oct": ("k",), "RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_SHOWN: Final = {"oct": "symmetric", "RSA": "rsa", "EC": "ecdsa", "OKP": "okp"}
_TITLES: Final = {"oct": "Symmetric", "RSA": "RSA", "EC": "ECDSA", "OKP": "OKP"}
_ALGORITHM: Final = re.compile(
    r"(?:ES|HS|PS|RS)(?:256|384|512)|ES256K|EdDSA|none"
    r"|RSA1_5|RSA-OAEP(?:-256|-384|-512)?|A(?:128|192|256)(?:GCM)?KW|dir"
    r"|ECDH-ES(?:\+A(?:128|192|256)KW)?|PBES2-HS(?:256\+A128|384\+A192|512\+A256)KW"
)


class Jwk(NamedTuple):
    """A key with what it says of itself; ``key`` is a ``cryptography`` key or bytes."""

    key: Any
    algorithm: str
    identifier: str


def parse(text: str) -> list[Jwk]:
    """The keys of a set, or the one key; BuiltinError beginning with ``jwk.Parse: ``."""
    try:
        parsed, _ = json.JSONDecoder().raw_decode(text.lstrip(" \t\r\n"))
    except (ValueError, RecursionError):
        raise BuiltinError(
            "jwk.Parse: failed to parse sole key: jwk.ParseKey: jwk.Parse: failed to probe data: "
            f"probe: failed to unmarshal data: {_complaint(text)}"
        ) from None
    if not isinstance(parsed, dict) or "keys" not in parsed:
        return [_parse_key(parsed, "jwk.Parse: failed to parse sole key: ")]
    start = "jwk.Parse: failed to unmarshal JWK set: "
    if not isinstance(parsed["keys"], list):
        raise BuiltinError(f"{start}failed to decode \"keys\": expected '['")
    return [
        _parse_key(key, f'{start}failed to decode key #{index} in "keys": ')
        for index, key in enumerate(parsed["keys"])
    ]


def _complaint(text: str) -> str:
    """What a reader of JSON says of the beginning of a text that is none."""
    if not text.strip(" \t\r\n"):
        return "EOF"
    try:
        parse_json(text)
    except BuiltinError as e:
        return "unexpected EOF" if e.message == "unexpected end of JSON input" else e.message
    return "nested too deeply"


def _parse_key(value: Any, start: str) -> Jwk:
    start += "jwk.ParseKey: "
    if value is None:
        value = {}
    if not isinstance(value, dict) or not isinstance(value.get("kty", ""), str):
        raise BuiltinError(f"{start}jwk.Parse: failed to probe data")
    kind = value.get("kty", "")
    if kind not in _FIELDS:
        raise BuiltinError(f"{start}invalid key type from JSON ({kind})")
    reader = _Reader(value, kind, start)
    for field in _FIELDS[kind]:
        reader.require(field)
    algorithm = reader.text("alg")
    if algorithm and not _ALGORITHM.fullmatch(algorithm):
        reader.undecodable(
            "alg", f"invalid key value: {go_quote(algorithm)}: invalid key algorithm"
        )
    return Jwk(_MAKERS[kind](reader), algorithm, reader.text("kid"))


class _Reader:
    """Reads the fields of one key, and words its errors."""

    def __init__(self, value: dict[str, Any], kind: str, start: str) -> None:
        self.value = value
        self.private = kind != "oct" and "d" in value
        self._kind = kind
        self._suffix = "Key" if kind == "oct" else "PrivateKey" if self.private else "PublicKey"
        self._name = f"*jwk.{_SHOWN[kind]}{self._suffix}"
        self._start = start

    def undecodable(self, field: str, reason: str) -> None:
        start = f"failed to unmarshal JSON into key ({self._name}): "
        raise BuiltinError(
            f"{self._start}{start}{start}failed to decode value for key {field}: {reason}"
        )

    def require(self, field: str) -> None:
        if self.value.get(field) is None:
            start = f"failed to unmarshal JSON into key ({self._name}): "
            raise BuiltinError(f"{self._start}{start}{start}required field {field} is missing")

    def invalid(self, reason: str) -> BuiltinError:
        return BuiltinError(
            f"{self._start}jwk.Parse: key validation failed: key validation failed: "
            f"jwk.{_TITLES[self._kind]}{self._suffix}: {reason}"
        )

    def text(self, field: str) -> str:
        found = self.value.get(field)
        if found is not None and not isinstance(found, str):
            self.undecodable(field, "expected a string")
        return found or ""

    def octets(self, field: str) -> bytes:
        text = self.text(field).rstrip("=").replace("+", "-").replace("/", "_")
        try:
            return gobase64.decode_url_unpadded(text)
        except BuiltinError:
            self.undecodable(field, "expected base64 encoded []byte (string)")
            raise

    def number(self, field: str) -> int:
        return int.from_bytes(self.octets(field))

    def curve(self) -> str:
        curve = self.text("crv")
        if curve not in (*_CURVES, "Ed25519", "X25519", "Ed448", "X448"):
            self.undecodable("crv", f"unknown EllipticCurveAlgorithm: {go_quote(curve)}")
        return curve


def _make_symmetric(reader: _Reader) -> bytes:
    key = reader.octets("k")
    if not key:
        raise reader.invalid('missing "k" field')
    return key


def _make_rsa(reader: _Reader) -> Any:
    public = rsa.RSAPublicNumbers(reader.number("e"), reader.number("n"))
    try:
        if not reader.private:
            return public.public_key()
        for field in ("q", "p"):
            if field not in reader.value:
                raise BuiltinError(
                    f'jwk.Export: failed to export jwk.Key to raw format: missing "{field}" value'
                )
        p, q, d = (reader.number(field) for field in ("p", "q", "d"))
        return rsa.RSAPrivateNumbers(
            p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), public
        ).private_key()
    except (ValueError, ZeroDivisionError):
        raise reader.invalid("invalid RSA key") from None


def _make_ec(reader: _Reader) -> Any:
    name = reader.curve()
    if name not in _CURVES:
        raise reader.invalid(f"invalid curve algorithm {go_quote(name)}")
    curve = _CURVES[name]
    size = (curve.key_size + 7) // 8
    numbers: list[int] = []
    for field in ("x", "y", "d") if reader.private else ("x", "y"):
        octets = reader.octets(field)
        if len(octets) != size:
            raise reader.invalid(f'invalid "{field}" length ({len(octets)}) for curve "{name}"')
        numbers.append(int.from_bytes(octets))
    try:
        public = ec.EllipticCurvePublicNumbers(numbers[0], numbers[1], curve)
        if reader.private:
            return ec.EllipticCurvePrivateNumbers(numbers[2], public).private_key()
        return public.public_key()
    except ValueError:
        raise reader.invalid(f'invalid ECDSA public key: point is not on curve "{name}"') from None


def _make_okp(reader: _Reader) -> Any:
    name = reader.curve()
    makers = {
        ("Ed25519", False): ed25519.Ed25519PublicKey.from_public_bytes,
        ("Ed25519", True): ed25519.Ed25519PrivateKey.from_private_bytes,
        ("X25519", False): x25519.X25519PublicKey.from_public_bytes,
        ("X25519", True): x25519.X25519PrivateKey.from_private_bytes,
    }
    make = makers.get((name, reader.private))
    if make is None:
        raise reader.invalid("invalid curve algorithm")
    try:
        return make(reader.octets("d" if reader.private else "x"))
    except ValueError:
        which = "private" if reader.private else "public"
        raise reader.invalid(f"{name.lower()}: wrong {which} key size") from None


_MAKERS: Final = {
    "oct": _make_symmetric,
    "RSA": _make_rsa,
    "EC": _make_ec,
    "OKP": _make_okp,
}
