"""Files under judgement in, their digests out: several at once, in constant memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

from adjudge.documents.reading import FileDigest, Source

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many bytes are hashed, and how many there are to hash."""

WORKERS: Final = min(8, os.cpu_count() or 1)
"""Files hashed at once.  Hashing and reading let other threads run."""


class Meter:
    """Counts bytes for a :data:`Progress`, from several threads."""

    def __init__(self, tell: Progress | None) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._done = 0
        self._total = 0

    def expect(self, count: int) -> None:
        """There are ``count`` more bytes to hash."""
        if self._tell is not None:
            with self._lock:
                self._total += count
                self._tell(self._done, self._total)

    def advance(self, count: int) -> None:
        """``count`` more bytes are hashed."""
        if self._tell is not None:
            with self._lock:
                self._done += count
                self._tell(self._done, self._total)


def hash_files(files: Mapping[str, Source], meter: Meter) -> dict[str, FileDigest]:
    """SHA-256 and size of each file, by the names they are given under.

    Raises the InputErrors of :meth:`Source.digest`.
    """
    for source in files.values():
        meter.expect(source.size())
    with ThreadPoolExecutor(max(1, min(WORKERS, len(files)))) as pool:
        digests = list(pool.map(lambda source: source.digest(meter.advance), files.values()))
    return dict(zip(files, digests, strict=True))
