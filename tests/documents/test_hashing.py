"""Several files hashed at once, with the count of bytes; and digests of parts of streams."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from adjudge.documents.hashing import Meter, hash_files
from adjudge.documents.reading import Source
from adjudge.errors import InputError
from adjudge.trust import Refused, hash_stream

Write = Callable[[Mapping[str, "str | bytes"]], Path]
LARGE = bytes(range(256)) * 10_000  # 2.5 MB: several pieces


def test_files_and_their_progress(tree: Write) -> None:
    root = tree({"a": LARGE, "b/c": b"x", "empty": b""})
    told: list[tuple[int, int]] = []
    meter = Meter(lambda done, total: told.append((done, total)))
    found = hash_files({name: Source(root, name) for name in ("a", "b/c", "empty")}, meter)
    assert list(found) == ["a", "b/c", "empty"]
    assert found["a"] == (hashlib.sha256(LARGE).hexdigest(), len(LARGE))
    assert found["empty"] == (hashlib.sha256(b"").hexdigest(), 0)
    assert told[-1] == (len(LARGE) + 1, len(LARGE) + 1)
    assert told == sorted(told, key=lambda t: (t[1], t[0]))
    assert len(told) > 5


def test_nobody_listens(tree: Write) -> None:
    assert hash_files({}, Meter(None)) == {}
    root = tree({"a": b"x"})
    assert hash_files({"n": Source(root, "a")}, Meter(None))["n"].size == 1


def test_a_file_that_is_not_there(tree: Write) -> None:
    root = tree({"a": b"x"})
    with pytest.raises(InputError) as caught:
        hash_files({"a": Source(root, "a"), "b": Source(root, "b")}, Meter(None))
    assert caught.value.code == "file_not_found"


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512", "blake2b"])
@pytest.mark.parametrize(
    ("start", "length"), [(0, None), (5, None), (0, 7), (1_000_000, 1_500_000), (2_559_999, 9)]
)
def test_parts_of_a_stream(algorithm: str, start: int, length: int | None) -> None:
    part = LARGE[start:] if length is None else LARGE[start : start + length]
    heard: list[int] = []
    found = hash_stream(io.BytesIO(LARGE), algorithm, start, length, heard.append)
    assert found == (hashlib.new(algorithm, part).hexdigest(), len(part))
    assert sum(heard) == len(part)


def test_blake3() -> None:
    pytest.importorskip("blake3", reason="the extra models is not installed")
    digest, _ = hash_stream(io.BytesIO(b""), "blake3")
    assert digest == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "shake_128", "", "no\nsuch"])
def test_other_algorithms(algorithm: str) -> None:
    with pytest.raises(Refused) as caught:
        hash_stream(io.BytesIO(b""), algorithm)
    assert caught.value.code == "serialization_unsupported"
