"""Files are read only below the root, only when regular, only up to a limit."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from adjudge.documents.model import Limits
from adjudge.documents.reading import Source, decode_text, shown_name
from adjudge.errors import InputError


def code_of(action: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(InputError) as caught:
        action(*arguments)
    assert caught.value.message
    return caught.value.code


def test_reads_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_bytes(b"hello")
    source = Source(tmp_path, "a/b.txt")
    assert source.read(5) == b"hello"
    assert source.digest() == (hashlib.sha256(b"hello").hexdigest(), 5)
    assert source.type() == "file"
    assert source.name == "b.txt"
    assert source.sibling("c").relative == "a/c"
    assert Source(tmp_path, "top").sibling("c").relative == "c"
    assert Source(tmp_path, ".").child("a").type() == "directory"
    assert Source(tmp_path, ".").type() == "directory"
    assert Source(tmp_path, "nothing").type() is None


def test_refuses_more_than_the_limit(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"123456")
    assert code_of(lambda: Source(tmp_path, "f").read(5)) == "file_too_large"


def test_missing_file(tmp_path: Path) -> None:
    assert code_of(lambda: Source(tmp_path, "f").read(5)) == "file_not_found"
    assert code_of(lambda: Source(tmp_path, "f/g").read(5)) == "file_not_found"


def test_file_used_as_directory(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    assert code_of(lambda: Source(tmp_path, "f/g").read(5)) == "unreadable_file"
    assert code_of(lambda: Source(tmp_path, "f").walk()) == "not_a_directory"


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"x")
    real = os.open

    def refuse(path: str, flags: int, *, dir_fd: int | None = None) -> int:
        if path == "f":  # root, who may run this, is never refused
            raise PermissionError(13, "Permission denied")
        return real(path, flags, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse)
    for action in (Source(tmp_path, "f").digest, Source(tmp_path, "f").type):
        assert code_of(action) == "unreadable_file"
    assert code_of(Source(tmp_path, "f").read, 5) == "unreadable_file"


def test_names_too_long(tmp_path: Path) -> None:
    assert code_of(Source(tmp_path, "x" * 300).read, 5) == "unreadable_file"
    assert code_of(Source(tmp_path, "x/" * 3000).read, 5) in ("unreadable_file", "file_not_found")


def test_the_root_may_be_the_file_system() -> None:
    assert Source(Path("/"), "etc").type() == "directory"
    assert Source(Path("/"), ".").type() == "directory"


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "a/.."])
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    assert code_of(lambda: Source(tmp_path, name).read(5)) == "path_escape"


def test_nul_in_a_name(tmp_path: Path) -> None:
    assert code_of(lambda: Source(tmp_path, "a\0b").read(5)) == "invalid_path"


def test_symlinks_stay_inside(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "f").write_text("secret")
    (root / "real").write_text("fine")
    (root / "inside").symlink_to("real")
    (root / "out").symlink_to("../secret")
    (root / "absolute").symlink_to(tmp_path / "secret")
    (root / "directory").symlink_to("../outside")
    (root / "sibling").symlink_to(str(root) + "x")
    (root / "loop").symlink_to("loop")
    assert Source(root, "inside").read(10) == b"fine"
    for name in ("out", "absolute", "directory/f", "sibling"):
        assert code_of(Source(root, name).read, 10) == "path_escape"
        assert code_of(Source(root, name).type) == "path_escape"
    assert code_of(lambda: Source(root, "loop").read(10)) == "unreadable_file"


def test_root_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "f").write_text("x")
    (tmp_path / "link").symlink_to("real")
    assert Source(tmp_path / "link", "f").read(1) == b"x"


def test_only_regular_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "dir").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "s"))
        for name in ("fifo", "dir", ".", ""):
            assert code_of(Source(tmp_path, name).read, 10) == "not_a_file"
        assert code_of(lambda: Source(tmp_path, "s").read(10)) in ("not_a_file", "unreadable_file")
    assert Source(tmp_path, "fifo").type() == "other"


def test_walk_is_sorted_and_follows_nothing(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a", ".git/config"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "links").symlink_to("b")
    walk = Source(tmp_path, ".").walk(ignore={".git": "version control"}.get)
    assert [(e.source.relative, e.type) for e in walk.entries] == [
        ("a", "file"),
        ("b/1", "file"),
        ("b/2", "file"),
        ("link", "symlink"),
        ("links", "symlink"),
    ]
    assert [(s.path, s.reason) for s in walk.skipped] == [(".git", "version control")]
    assert not walk.truncated


def test_walk_is_bounded(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(6):
        deep = deep / "d"
    deep.mkdir(parents=True)
    for index in range(5):
        (tmp_path / f"f{index}").write_text("")
    many = Source(tmp_path, ".").walk(Limits(max_files=3))
    assert many.truncated
    assert len(many.entries) == 3
    shallow = Source(tmp_path, ".").walk(Limits(max_walk_depth=3))
    assert shallow.truncated
    assert [s.path for s in shallow.skipped] == ["d/d/d"]


def test_names_are_shown_escaped_and_stay_different(tmp_path: Path) -> None:
    raw = os.fsdecode(b"a\nb\xff c'\"\x1b[0m\\n")
    (tmp_path / raw).write_text("x")
    (entry,) = Source(tmp_path, ".").walk().entries
    assert entry.source.read(1) == b"x"
    assert entry.source.shown == "a\\nb\\xff c'\"\\x1b[0m\\\\n"
    entry.source.shown.encode()
    assert shown_name("a‮b") == "a\\u202eb"
    assert shown_name("ä b") == "ä b"


def test_text_is_utf8_without_mark() -> None:
    assert decode_text(b"\xef\xbb\xbf{}", "f") == "{}"
    with pytest.raises(InputError) as caught:
        decode_text(b"\xef\xbb\xbfok\n\xc3\xa9\xc3(", "f")
    assert caught.value.code == "invalid_utf8"
    assert caught.value.location == ("f", 2, 2)
    assert "byte 8 (0xc3)" in caught.value.message
    assert code_of(lambda: decode_text("x".encode("utf-16"), "f")) == "invalid_utf8"
    assert code_of(lambda: decode_text(b"MZ\0\0", "f")) == "binary_file"
