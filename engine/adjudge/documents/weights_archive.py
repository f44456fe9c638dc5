"""Zip archives of weights (torch, NumPy, Keras): a stream in, its pickles and problems out.

Members are looked at by content as well as by name, nothing is extracted, and no more is
decompressed than the limits allow.
"""

from __future__ import annotations

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from adjudge.documents.picklefacts import (
    MAX_PICKLE_BYTES,
    PICKLE_STARTS,
    PickleFacts,
    scan_pickle,
)
from adjudge.documents.weights_headers import BadHeader, read_numpy

MAX_MEMBERS: Final = 100_000
MAX_RATIO: Final = 1000
"""Deflate cannot honestly do better on weights, which hardly compress at all."""
MAX_UNPACKED: Final = 1 << 42

_PICKLE_NAMES = (".pkl", ".pickle", ".joblib")
_ENCRYPTED = 0x1
_LOOK = 16

ZIP_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    IndexError,
    ValueError,
    NotImplementedError,
    OverflowError,
    OSError,
    RuntimeError,
)
"""What zipfile raises for damaged archives."""

Report = Callable[[str, str, str], None]
"""Takes a code, a message and the member."""


@dataclass
class ArchiveFacts:
    """What was found: member names, pickles by member, and whether everything could be seen."""

    members: list[str] = field(default_factory=list)
    pickles: dict[str, PickleFacts] = field(default_factory=dict)
    unseen: bool = False
    """Some member that may hold code could not be looked into."""
    sound: bool = True
    """No member breaks a rule of safe archives."""


def read_archive(stream: BinaryIO, report: Report) -> ArchiveFacts:
    """Look through a zip archive.  Every failure ends in ``report`` and in the facts."""
    facts = ArchiveFacts()

    def bad(code: str, message: str, member: str = "") -> None:
        facts.sound = False
        report(code, message, member)

    try:
        archive = zipfile.ZipFile(stream)
        infos = archive.infolist()
    except ZIP_ERRORS as error:
        facts.unseen = True
        bad("archive_invalid", f"the archive cannot be read: {error}")
        return facts
    if len(infos) > MAX_MEMBERS:
        facts.unseen = True
        bad("archive_too_large", f"the archive has {len(infos)} members")
        return facts
    facts.members = [info.filename for info in infos]
    _check_names(infos, bad)
    total = sum(info.file_size for info in infos)
    packed = max(1, sum(info.compress_size for info in infos))
    if total > MAX_UNPACKED or total // packed > MAX_RATIO:
        facts.unseen = True
        bad("archive_bomb", f"{packed} bytes would unpack to {total}")
        return facts
    for info in infos:
        if info.file_size or not info.filename.endswith("/"):
            _look_into(archive, info, facts, bad)
    return facts


def _check_names(infos: list[zipfile.ZipInfo], bad: Callable[[str, str, str], None]) -> None:
    seen: set[str] = set()
    for info in infos:
        name = info.filename
        steps = name.replace("\\", "/").split("/")
        if name in seen:
            bad("archive_duplicate", "the archive holds this member twice", name)
        seen.add(name)
        if ".." in steps or name.startswith(("/", "\\")) or (len(name) > 1 and name[1] == ":"):
            bad("archive_path_escape", "the member's name leads out of the archive", name)
        if stat.S_ISLNK(info.external_attr >> 16):
            bad("archive_symlink", "the member is a symbolic link", name)


def _look_into(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    facts: ArchiveFacts,
    bad: Callable[[str, str, str], None],
) -> None:
    name = info.filename
    named = name.lower().endswith(_PICKLE_NAMES)
    if info.flag_bits & _ENCRYPTED:
        facts.unseen = True
        bad("archive_encrypted", "the member is encrypted", name)
        return
    try:
        with _open(archive, info) as member:
            start = member.read(_LOOK)
        if start.startswith(b"\x93NUMPY"):
            _look_into_array(archive, info, facts)
        elif named or (start.startswith(PICKLE_STARTS) and not _is_storage(name)):
            found = scan_pickle(_read(archive, info))
            # Weights may begin like a pickle by chance; then nothing of one follows.
            if named or found.imports or not found.errors:
                facts.pickles[name] = found
    except ZIP_ERRORS as error:
        facts.unseen = True
        bad("archive_member_invalid", f"the member cannot be read: {error}", name)
    except BadHeader as error:
        bad(error.code, error.message, name)


def _look_into_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, facts: ArchiveFacts) -> None:
    with _open(archive, info) as member:
        _, pickled_at = read_numpy(member, info.file_size)  # type: ignore[arg-type]
    if pickled_at is not None:
        facts.pickles[info.filename] = scan_pickle(_read(archive, info)[pickled_at:])


def _is_storage(name: str) -> bool:
    """Torch keeps tensor data under ``data/<number>`` and never unpickles it."""
    above, _, last = name.rpartition("/")
    return last.isdecimal() and (above == "data" or above.endswith("/data"))


def _open(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> zipfile.ZipExtFile:
    """Open a member without the check of its CRC: torch's reader does not check either, and a
    wrong one must not hide a pickle."""
    member = archive.open(info)
    if not isinstance(member, zipfile.ZipExtFile):
        raise ValueError("it cannot be read")
    member._expected_crc = None  # type: ignore[attr-defined]
    return member


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with _open(archive, info) as member:
        data = member.read(MAX_PICKLE_BYTES + 1)
    return data
