"""Streams in, digests out: read in pieces, so that a file of any size takes the same memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, BinaryIO, Final, TypeAlias

from adjudge.trust.reasons import Refused

PIECE: Final = 1024 * 1024
"""Bytes read at a time."""

ALGORITHMS: Final = ("sha256", "sha384", "sha512", "blake2b", "blake3")
"""The digests that signed manifests of files may use."""

Tell: TypeAlias = Callable[[int], None]
"""Told after each piece how many bytes were read."""


def hash_stream(
    stream: BinaryIO,
    algorithm: str = "sha256",
    start: int = 0,
    length: int | None = None,
    tell: Tell | None = None,
) -> tuple[str, int]:
    """The digest (hex) of ``length`` bytes from ``start``, or of all that follows, and how many
    bytes that were.

    Raises :class:`Refused` ``serialization_unsupported`` for other algorithms and for BLAKE3
    where it is not installed, and the OSError of reading.
    """
    hasher = _new(algorithm)
    if start:
        stream.seek(start)
    piece = memoryview(bytearray(PIECE))
    done = 0
    while length is None or done < length:
        wanted = PIECE if length is None else min(PIECE, length - done)
        # Binary files have readinto, which the type BinaryIO does not say.
        count: int = stream.readinto(piece[:wanted])  # type: ignore[attr-defined]
        if not count:
            break
        hasher.update(piece[:count])
        done += count
        if tell is not None:
            tell(count)
    return hasher.hexdigest(), done


def _new(algorithm: str) -> Any:
    if algorithm not in ALGORITHMS:
        raise Refused("serialization_unsupported", f"the digest {algorithm[:40]} is not known")
    if algorithm != "blake3":
        return hashlib.new(algorithm)
    try:
        # An extra: few models are signed with it.
        from blake3 import blake3
    except ImportError:
        raise Refused(
            "serialization_unsupported", "BLAKE3 is needed: pip install 'adjudge[models]'"
        ) from None
    return blake3()
