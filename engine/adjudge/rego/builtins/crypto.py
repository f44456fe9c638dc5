"""``crypto.*`` without certificates: consume texts and keys; produce digests and key objects."""

from __future__ import annotations

import hashlib
import hmac

from adjudge.rego.builtins.registry import builtin, want_string
from adjudge.rego.runtime.text import utf8_bytes
from adjudge.rego.runtime.values import Value

# MD5 and SHA-1 are what the policy asked for by name; whether they are good enough is
# the policy's question, so they are not treated as a security measure of ours.


def _bytes(value: Value, position: int) -> bytes:
    return utf8_bytes(want_string(value, position))


@builtin("crypto.md5")
def md5(value: Value) -> Value:
    """The MD5 digest in hexadecimal."""
    return hashlib.md5(_bytes(value, 1), usedforsecurity=False).hexdigest()


@builtin("crypto.sha1")
def sha1(value: Value) -> Value:
    """The SHA-1 digest in hexadecimal."""
    return hashlib.sha1(_bytes(value, 1), usedforsecurity=False).hexdigest()


@builtin("crypto.sha256")
def sha256(value: Value) -> Value:
    """The SHA-256 digest in hexadecimal."""
    return hashlib.sha256(_bytes(value, 1)).hexdigest()


def _hmac(message: Value, key: Value, algorithm: str) -> Value:
    text = _bytes(message, 1)
    return hmac.new(_bytes(key, 2), text, algorithm).hexdigest()


@builtin("crypto.hmac.md5")
def hmac_md5(message: Value, key: Value) -> Value:
    """The HMAC-MD5 in hexadecimal."""
    return _hmac(message, key, "md5")


@builtin("crypto.hmac.sha1")
def hmac_sha1(message: Value, key: Value) -> Value:
    """The HMAC-SHA1 in hexadecimal."""
    return _hmac(message, key, "sha1")


@builtin("crypto.hmac.sha256")
def hmac_sha256(message: Value, key: Value) -> Value:
    """The HMAC-SHA256 in hexadecimal."""
    return _hmac(message, key, "sha256")


@builtin("crypto.hmac.sha512")
def hmac_sha512(message: Value, key: Value) -> Value:
    """The HMAC-SHA512 in hexadecimal."""
    return _hmac(message, key, "sha512")


@builtin("crypto.hmac.equal")
def hmac_equal(mac1: Value, mac2: Value) -> Value:
    """Whether two codes are the same, in a time that does not tell where they differ."""
    first = _bytes(mac1, 1)
    return hmac.compare_digest(first, _bytes(mac2, 2))


@builtin("crypto.parse_private_keys")
def parse_private_keys(keys: Value) -> Value:
    """The private keys of a PEM text, which may itself be in base64, as Go writes their structs."""
    # Imported here because it loads the cryptography library, which digests do not need.
    from adjudge.rego.builtins import keys as key_library

    text = want_string(keys, 1)
    if not text:
        return None
    return [key_library.private_object(key) for key in key_library.private_keys(text)]
