"""A time and random bytes in, a UUID version 7 (RFC 9562, section 5.7) out."""

from __future__ import annotations

import secrets
import uuid

from adjudge.errors import InputError

ENTROPY_BYTES = 10
"""How many random bytes one identifier takes; 74 of their 80 bits are used."""


def uuid7(unix_ns: int, entropy: bytes | None = None) -> str:
    """The UUIDv7 of a time in nanoseconds since 1970.

    With ``entropy`` (ten bytes) the result is a function of the arguments; without it
    the bytes come from the operating system.  Raises :class:`InputError`
    ``time_out_of_range`` for times before 1970 or beyond 48 bits of milliseconds, and
    ``ValueError`` when ``entropy`` has another length.
    """
    if entropy is None:
        entropy = secrets.token_bytes(ENTROPY_BYTES)
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"entropy must be {ENTROPY_BYTES} bytes, not {len(entropy)}")
    milliseconds = unix_ns // 1_000_000
    if not 0 <= milliseconds < 1 << 48:
        raise InputError(
            "time_out_of_range",
            "the evaluation time does not fit a decision id",
            hint="use a time between 1970 and 10889",
        )
    random_bits = int.from_bytes(entropy, "big")
    rand_a = random_bits >> 68
    rand_b = random_bits & ((1 << 62) - 1)
    number = milliseconds << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b
    return str(uuid.UUID(int=number))


def time_of(identifier: str) -> int:
    """The time in a UUIDv7, in nanoseconds since 1970 (whole milliseconds)."""
    return (uuid.UUID(identifier).int >> 80) * 1_000_000
