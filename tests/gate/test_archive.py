"""Archives: what is written is read again, and nothing else is."""

from __future__ import annotations

import contextlib
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import InputError
from adjudge.gate.archive import fits, read_archive, write_archive

MEMBERS = {"a.json": b"{}", "dir/b": b"x" * 600, "dir/empty": b"", "z": b"\0" * 512}

names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}(/[a-z0-9]{1,10})?", fullmatch=True)


@given(st.dictionaries(names, st.binary(max_size=1500), max_size=6))
def test_what_is_written_is_read(members: dict[str, bytes]) -> None:
    assert read_archive(write_archive(members)) == members


def test_other_programs_read_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(write_archive(MEMBERS))) as found:
        read = {m.name: found.extractfile(m) for m in found.getmembers()}
        assert {n: f.read() for n, f in read.items() if f} == MEMBERS


def test_the_order_given_does_not_matter() -> None:
    assert write_archive(MEMBERS) == write_archive(dict(reversed(MEMBERS.items())))


@given(st.data())
def test_every_changed_byte_is_refused_or_read(data: st.DataObject) -> None:
    """A byte outside of the contents is refused; one in them is read as changed."""
    whole = write_archive(MEMBERS)
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(InputError):
        assert read_archive(bytes(changed)) != MEMBERS


@pytest.mark.parametrize("cut", [0, 1, 511, 512, 513, 1024, 2000])
def test_cut_and_longer_archives(cut: int) -> None:
    whole = write_archive(MEMBERS)
    for data in (whole[:cut], whole + bytes(cut or 3), whole[: len(whole) - 1]):
        if data != whole:
            with pytest.raises(InputError) as raised:
                read_archive(data)
            assert raised.value.code == "archive_invalid"


@pytest.mark.parametrize("name", ["", "/a", "../a", "a/../b", ".a", "a//b", "a/", "ä", "a" * 101])
def test_names_that_cannot_stand_in_one(name: str) -> None:
    assert not fits(name)
    with pytest.raises(ValueError, match="archive"):
        write_archive({name: b""})


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_links_and_folders(kind: bytes) -> None:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as made:
        member = tarfile.TarInfo("a")
        member.type, member.linkname = kind, "/etc/passwd"
        made.addfile(member)
    with pytest.raises(InputError):
        read_archive(sink.getvalue())
