"""Names and bytes in, a tar archive out whose every byte follows from them, and back.

POSIX ustar with fixed owners, modes and times, members in order of name.  Reading takes only what
writing makes: a name twice, a link, a path that leads out, anything behind the end, or a single
header byte that is otherwise is refused.  So an archive cannot hold more than its members.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from adjudge.errors import InputError

BLOCK: Final = 512
MAX_BYTES: Final = 2 * 1024**3
MAX_MEMBERS: Final = 100_000

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_MAX_NAME: Final = 100
_END: Final = bytes(2 * BLOCK)


def write_archive(members: Mapping[str, bytes]) -> bytes:
    """The archive with these members.

    Raises ``ValueError`` for a name that cannot stand in one, which is a mistake of the caller.
    """
    out = bytearray()
    for name in sorted(members):
        if not fits(name):
            raise ValueError(f"{name!r} cannot stand in an archive")
        data = members[name]
        out += _header(name, len(data)) + data + bytes(-len(data) % BLOCK)
    return bytes(out + _END)


def fits(name: str) -> bool:
    """Whether a member may be called so."""
    return len(name) <= _MAX_NAME and _NAME.fullmatch(name) is not None


def read_archive(data: bytes) -> dict[str, bytes]:
    """The members of an archive that :func:`write_archive` made.

    Raises InputError ``archive_invalid``, ``archive_too_large``.
    """
    if len(data) > MAX_BYTES:
        raise InputError("archive_too_large", f"the archive has over {MAX_BYTES} bytes")
    members: dict[str, bytes] = {}
    at = 0
    while data[at : at + BLOCK] != _END[:BLOCK]:
        if len(members) >= MAX_MEMBERS:
            raise _invalid(f"it has over {MAX_MEMBERS} members")
        header = data[at : at + BLOCK]
        name, size = _read_header(header)
        if members and name <= max(members, default=""):
            raise _invalid(f"{name} stands twice, or out of order")
        start = at + BLOCK
        end = start + size
        at = end + (-size % BLOCK)
        if at > len(data) or any(data[end:at]):
            raise _invalid(f"{name} is cut off")
        members[name] = data[start:end]
    if data[at:] != _END:
        raise _invalid("something stands behind its end")
    return members


def _read_header(header: bytes) -> tuple[str, int]:
    try:
        name = header[:_MAX_NAME].rstrip(b"\0").decode("ascii")
        size = int(header[124:135], 8)
    except ValueError:
        raise _invalid("it is cut off, or no such archive") from None
    if not fits(name) or _header(name, size) != header:
        raise _invalid("a member has another header than it should")
    return name, size


def _header(name: str, size: int) -> bytes:
    head = b"".join(
        (
            name.encode("ascii").ljust(100, b"\0"),
            b"0000644\0",
            b"0000000\0",
            b"0000000\0",
            b"%011o\0" % size,
            b"00000000000\0",
            b" " * 8,
            b"0",
            bytes(100),
            b"ustar\x0000",
            bytes(32 + 32),
            b"0000000\0",
            b"0000000\0",
            bytes(155 + 12),
        )
    )
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def _invalid(why: str) -> InputError:
    return InputError(
        "archive_invalid",
        f"the archive cannot be used: {why}",
        hint="take a pack as `adjudge pack` wrote it",
    )
