"""Bounded, safe access to the files under judgement: a root and a relative name in, bytes out.

Nothing outside the root is ever opened, through whatever symlink; nothing but a regular
file is read; no more is read than allowed.  The readers of JSON, YAML and TOML are
re-exported from here.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Literal, NamedTuple, NoReturn, TypeAlias

from adjudge.documents.json_text import read_json
from adjudge.documents.model import DEFAULT_LIMITS, MIB, Limits, LineIndex
from adjudge.documents.toml_text import read_toml
from adjudge.documents.yaml_text import read_yaml
from adjudge.errors import InputError
from adjudge.source import Location

__all__ = [
    "Entry",
    "FileDigest",
    "Skipped",
    "Source",
    "Walk",
    "decode_text",
    "read_json",
    "read_toml",
    "read_yaml",
    "shown_name",
]

# Opening a directory only to pass through it needs no right to list it where O_PATH exists.
_PASS: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK keeps a FIFO without a writer from holding the process.
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

EntryType: TypeAlias = Literal["file", "directory", "symlink", "other"]


class FileDigest(NamedTuple):
    """SHA-256 in lower-case hexadecimal, and the number of bytes it covers."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Entry:
    """Something found by a walk.  Symlinks are listed, never followed."""

    source: Source
    type: EntryType


@dataclass(frozen=True)
class Skipped:
    """Something a walk or a search left out, as shown to people, and why."""

    path: str
    reason: str


@dataclass
class Walk:
    """What stands below a directory, in order of name; ``truncated`` when a limit was met."""

    entries: list[Entry] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    truncated: bool = False

    def files(self) -> list[Source]:
        """The regular files."""
        return [e.source for e in self.entries if e.type == "file"]


@dataclass(frozen=True)
class Source:
    """A file or directory under judgement: ``relative`` (with ``/``) below ``root``.

    ``relative`` is as the file system gives it (undecodable bytes as lone surrogates);
    ``"."`` is the root itself.
    """

    root: Path
    relative: str

    @property
    def shown(self) -> str:
        """The relative name as it may be shown and stored: printable, valid Unicode."""
        return shown_name(self.relative)

    @property
    def name(self) -> str:
        """The last part of the name, as the file system gives it."""
        return self.relative.rpartition("/")[2]

    def child(self, name: str) -> Source:
        """``name`` (may contain ``/``) below this directory."""
        return Source(self.root, name if self.relative in ("", ".") else f"{self.relative}/{name}")

    def sibling(self, name: str) -> Source:
        """``name`` in the directory this stands in."""
        above = self.relative.rpartition("/")[0]
        return Source(self.root, f"{above}/{name}" if above else name)

    def type(self) -> EntryType | None:
        """What stands there after following symlinks inside the root; None for nothing.

        Raises ``path_escape`` when a symlink leads out of the root.
        """
        parts = self._parts()
        try:
            fd = _open_below(self.root, parts, None)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._refuse(error)
        try:
            return _type_of(os.fstat(fd).st_mode)
        finally:
            os.close(fd)

    def open(self) -> BinaryIO:
        """The file, opened for reading.

        Raises InputError ``file_not_found``, ``unreadable_file``, ``not_a_file`` (a
        directory, FIFO, device or socket), ``path_escape`` or ``invalid_path``.
        """
        parts = self._parts()
        try:
            fd = _open_below(self.root, parts, _READ)
        except OSError as error:
            self._refuse(error)
        mode = os.fstat(fd).st_mode
        if not stat.S_ISREG(mode):
            os.close(fd)
            raise self.error(
                "not_a_file",
                f"{self.shown} is {_described(mode)}, not a file",
                hint="name a regular file",
            )
        return os.fdopen(fd, "rb")

    def read(self, limit: int) -> bytes:
        """All bytes of the file; ``file_too_large`` when there are more than ``limit``."""
        try:
            with self.open() as file:
                data = file.read(limit + 1)
        except OSError as error:
            self._refuse(error)
        if len(data) > limit:
            raise self.error(
                "file_too_large",
                f"{self.shown} is larger than the limit of {_size(limit)}",
                hint="judge a smaller file, or raise the limit for this kind",
            )
        return data

    def read_text(self, limit: int) -> str:
        """The file as text; see :func:`decode_text` for what is refused."""
        return decode_text(self.read(limit), self.shown)

    def size(self) -> int:
        """Bytes in the file."""
        with self.open() as file:
            return os.fstat(file.fileno()).st_size

    def digest(self, tell: Callable[[int], None] | None = None) -> FileDigest:
        """The SHA-256 and size of the file, read in pieces; ``tell`` hears the size of each."""
        hasher, size = hashlib.sha256(), 0
        piece = memoryview(bytearray(MIB))
        try:
            with self.open() as file:
                # Binary files have readinto, which the type BinaryIO does not say.
                while count := file.readinto(piece):  # type: ignore[attr-defined]
                    hasher.update(piece[:count])
                    size += count
                    if tell is not None:
                        tell(count)
        except OSError as error:
            self._refuse(error)
        return FileDigest(hasher.hexdigest(), size)

    def walk(
        self, limits: Limits = DEFAULT_LIMITS, ignore: Callable[[str], str | None] | None = None
    ) -> Walk:
        """Everything below this directory, sorted by name; symlinks are not followed.

        ``ignore`` is asked for each directory name and gives the reason to leave it out.
        Raises InputError when this is not a directory that can be listed.
        """
        walk = Walk()
        if self.type() not in ("directory", None):
            raise self.error("not_a_directory", f"{self.shown} is not a directory")
        self._walk_into(walk, limits, ignore or (lambda _name: None), 0)
        return walk

    def _walk_into(
        self, walk: Walk, limits: Limits, ignore: Callable[[str], str | None], depth: int
    ) -> None:
        for name, kind in self._listing(walk, depth):
            if len(walk.entries) >= limits.max_files:
                walk.truncated = True
                return
            entry = Entry(self.child(name), kind)
            if kind != "directory":
                walk.entries.append(entry)
            elif (reason := ignore(name)) is not None:
                walk.skipped.append(Skipped(entry.source.shown, reason))
            elif depth + 1 >= limits.max_walk_depth:
                walk.truncated = True
                walk.skipped.append(Skipped(entry.source.shown, "too many nested directories"))
            else:
                entry.source._walk_into(walk, limits, ignore, depth + 1)

    def _listing(self, walk: Walk, depth: int) -> list[tuple[str, EntryType]]:
        """The names in this directory with their types; what cannot be listed is skipped."""
        parts = self._parts()
        try:
            fd = _open_below(self.root, parts, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            if depth == 0:
                self._refuse(error)
            walk.skipped.append(Skipped(self.shown, f"cannot be listed: {error.strerror}"))
            return []
        try:
            with os.scandir(fd) as entries:
                found = [(e.name, _type_of(e.stat(follow_symlinks=False).st_mode)) for e in entries]
        except OSError as error:
            walk.skipped.append(Skipped(self.shown, f"cannot be listed: {error.strerror}"))
            return []
        finally:
            os.close(fd)
        return sorted(found, key=lambda item: os.fsencode(item[0]))

    def error(self, code: str, message: str, *, hint: str | None = None) -> InputError:
        """An error about this file as a whole."""
        return InputError(code, message, location=Location(self.shown, 1, 1), hint=hint)

    def _parts(self) -> list[str]:
        """The names from the root to the file with every symlink resolved."""
        if "\0" in self.relative:
            raise self.error("invalid_path", "a file name contains a NUL character")
        if self.relative.startswith("/") or ".." in self.relative.split("/"):
            raise self.error(
                "path_escape",
                f"{self.shown} leads out of the judged folder",
                hint="name files relative to the judged folder, without '..'",
            )
        try:
            root = os.path.realpath(self.root)
            target = os.path.realpath(os.path.join(root, self.relative))
        except (OSError, ValueError) as error:
            raise self.error(
                "unreadable_file", f"{self.shown} cannot be resolved: {error}"
            ) from None
        if os.path.commonpath([root, target]) != root:
            raise self.error(
                "path_escape",
                f"{self.shown} is a symbolic link that leads out of the judged folder",
                hint="put the file itself into the folder",
            )
        relative = os.path.relpath(target, root)
        return [] if relative == "." else relative.split(os.sep)

    def _refuse(self, error: OSError) -> NoReturn:
        if isinstance(error, FileNotFoundError):
            raise self.error("file_not_found", f"{self.shown} does not exist") from None
        if error.errno == errno.ELOOP:
            reason = "it is a symbolic link that leads nowhere"
        else:
            reason = (error.strerror or str(error)).lower()
        raise self.error(
            "unreadable_file",
            f"{self.shown} cannot be read: {reason}",
            hint="check the permissions and that it is a regular file",
        ) from None


def _open_below(root: Path, parts: list[str], flags: int | None) -> int:
    """Open ``parts`` below ``root`` one name at a time, following no symlink.

    The names were resolved before; a symlink put there since then makes this fail instead of
    leading out.  ``flags`` None opens only to look at what it is.
    """
    look = getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK) | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(os.path.realpath(root), _PASS if parts else (flags or look))
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        try:
            below = os.open(part, (look if flags is None else flags) if last else _PASS, dir_fd=fd)
        finally:
            os.close(fd)
        fd = below
    return fd


def _type_of(mode: int) -> EntryType:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    return "symlink" if stat.S_ISLNK(mode) else "other"


def _described(mode: int) -> str:
    for test, words in (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if test(mode):
            return words
    return "something else"


def _size(count: int) -> str:
    return f"{count // MIB} MiB" if count >= MIB else f"{count} bytes"


def shown_name(name: str) -> str:
    """A file name that can be printed, logged and encoded.

    Undecodable bytes become ``\\xNN``; a backslash and everything unprintable (line ends,
    escapes, direction marks) are written as escapes, so that different names stay different.
    """
    out = []
    for char in name:
        code = ord(char)
        if 0xDC80 <= code <= 0xDCFF:
            out.append(f"\\x{code - 0xDC00:02x}")
        elif char == "\\":
            out.append("\\\\")
        elif char.isprintable():
            out.append(char)
        else:
            out.append(char.encode("unicode_escape", "surrogatepass").decode("ascii"))
    return "".join(out)


def decode_text(data: bytes, file: str) -> str:
    """UTF-8 bytes as text, without a leading byte order mark.

    Raises InputError ``invalid_utf8`` with the line, column and byte offset of the first bad
    byte, or ``binary_file`` when there are NUL bytes.
    """
    body = data[3:] if data.startswith(b"\xef\xbb\xbf") else data
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(
            "invalid_utf8",
            f"{file} is UTF-16, not UTF-8",
            location=Location(file, 1, 1),
            hint="save the file as UTF-8",
        )
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        good = body[: error.start].decode("utf-8")
        where = LineIndex(file, good).position(len(good))
        raise InputError(
            "invalid_utf8",
            f"byte {error.start + len(data) - len(body)} (0x{body[error.start]:02x}) "
            "is not valid UTF-8",
            location=where.location,
            hint="save the file as UTF-8; a binary file cannot be judged as text",
        ) from None
    if (nul := text.find("\0")) >= 0:
        raise InputError(
            "binary_file",
            f"{file} contains a NUL character: it is not a text file",
            location=LineIndex(file, text).position(nul).location,
            hint="name the text file, or judge this file as the kind it is",
        )
    return text
