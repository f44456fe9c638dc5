"""Canonical JSON (RFC 8785) and SHA-256 digests over it."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785


def canonical_bytes(value: Any) -> bytes:
    """The RFC 8785 encoding of a JSON value; integers beyond 2**53 are not representable
    there and are encoded as strings by the caller beforehand."""
    return rfc8785.dumps(value)


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of ``data`` in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def digest_of(value: Any) -> str:
    """The SHA-256 (hex) of the canonical JSON of ``value``."""
    return sha256_hex(canonical_bytes(value))
