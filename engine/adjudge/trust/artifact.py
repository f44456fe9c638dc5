"""The bytes a signature is over, hashed once per algorithm in constant memory."""

from __future__ import annotations

import hashlib
import io
import mmap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class Artifact:
    """Something that was signed: a file, or bytes at hand.

    ``opener`` gives a fresh binary stream over the same bytes at each call.  ``digests`` are
    those that are known already, by algorithm.
    """

    def __init__(
        self, opener: Callable[[], BinaryIO], digests: Mapping[str, bytes] | None = None
    ) -> None:
        self._open = opener
        self._digests = dict(digests or {})

    @classmethod
    def of_bytes(cls, data: bytes) -> Artifact:
        """An artifact that is in memory."""
        return cls(lambda: io.BytesIO(data))

    @classmethod
    def of_file(cls, path: Path) -> Artifact:
        """An artifact in a file, which is opened when it is needed."""
        return cls(lambda: path.open("rb"))

    def digest(self, algorithm: str) -> bytes:
        """The digest by a :mod:`hashlib` algorithm name such as ``sha256``."""
        found = self._digests.get(algorithm)
        if found is None:
            with self._open() as stream:
                # Binary files have readinto, which the type BinaryIO does not say.
                found = hashlib.file_digest(stream, algorithm).digest()  # type: ignore[arg-type]
            self._digests[algorithm] = found
        return found

    @contextmanager
    def data(self) -> Iterator[bytes | mmap.mmap]:
        """All the bytes at once; a file is mapped, not read into memory.

        Ed25519 needs this: it signs the message itself, not a digest.
        """
        with self._open() as stream:
            if isinstance(stream, io.BytesIO):
                yield stream.getvalue()
            elif stream.seek(0, io.SEEK_END) == 0:
                yield b""  # an empty file cannot be mapped
            else:
                with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                    yield mapped
