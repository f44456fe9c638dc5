"""Names and bytes in, the same bytes out in a later process: a folder that is this user's alone.

What is kept here may be code that will run, so an entry is used only when this user's own
process wrote it: the folder and the files belong to the user and nobody else may look into
them, and each entry is authenticated (HMAC-SHA-256) with a key that lies elsewhere, in the
user's state folder.  A checkout or an archive that happens to contain such a folder has no
such key.  Anything else that is found, a damaged entry included, counts as nothing found.

A cache is an aid: nothing here raises but for a folder that was named and cannot be one.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from adjudge.errors import InputError

VARIABLE: Final = "ADJUDGE_CACHE_DIR"
OFF: Final = "off"

MAX_ENTRY: Final = 64 * 1024 * 1024
MAX_BYTES: Final = 256 * 1024 * 1024
MAX_ENTRIES: Final = 500
"""Beyond these, the entries that were not used for longest go."""

_MAGIC: Final = b"adjudge cache 1\n"
_KEY_FILE: Final = "cache.key"
_KEY_BYTES: Final = 32
_TEMPORARY: Final = ".new-"
_ABLE: Final = (
    hasattr(os, "geteuid") and hasattr(os, "O_NOFOLLOW") and os.open in os.supports_dir_fd
)


class Cache:
    """Entries in ``folder``, authenticated with the key in ``keys``; both are made if needed."""

    def __init__(self, folder: Path, keys: Path) -> None:
        self.folder = folder
        self._keys = keys
        self._secret: bytes | None = None

    def usable(self) -> bool:
        """Whether the folder is, or could be made, one that nobody else can write to."""
        try:
            with _private(self.folder):
                return True
        except OSError:
            return False

    def read(self, name: str) -> bytes | None:
        """The entry of that name; None when there is none that this user wrote."""
        try:
            with _private(self.folder, make=False) as folder:
                data = _read(folder, name, MAX_ENTRY)
                with suppress(OSError):
                    os.utime(name, dir_fd=folder)
            key = self._key()
        except OSError:
            return None
        head, digest = len(_MAGIC), hashlib.sha256().digest_size
        seal, body = data[head : head + digest], data[head + digest :]
        if not data.startswith(_MAGIC) or not hmac.compare_digest(seal, _seal(key, name, body)):
            return None
        return body

    def write(self, name: str, body: bytes) -> bool:
        """Keep an entry, as a whole or not at all; whether it was kept."""
        if len(body) > MAX_ENTRY - 1024:
            return False
        try:
            key = self._key()
            with _private(self.folder) as folder:
                _write(folder, name, _MAGIC + _seal(key, name, body) + body)
                _evict(folder, name)
        except OSError:
            return False
        return True

    def _key(self) -> bytes:
        """The user's key, made when there is none; raises OSError."""
        if self._secret is None:
            with _private(self._keys) as folder:
                with suppress(FileExistsError):
                    _create(folder, _KEY_FILE, secrets.token_bytes(_KEY_BYTES))
                found = _read(folder, _KEY_FILE, _KEY_BYTES)
            if len(found) != _KEY_BYTES:
                raise OSError("the key is damaged")
            self._secret = found
        return self._secret


def _seal(key: bytes, name: str, body: bytes) -> bytes:
    return hmac.digest(key, name.encode() + b"\0" + body, "sha256")


# -- the process's cache ---------------------------------------------------------------------

_environ: Mapping[str, str] | None = None


def allow(environ: Mapping[str, str] | None) -> None:
    """Let this process keep things on disk, where ``environ`` says; None: nowhere.

    Without it nothing is kept: a library does not write to its user's home by itself.
    """
    global _environ
    _environ = environ


def current() -> Cache | None:
    """This process's cache, if it may have one.

    Raises InputError ``cache_dir_invalid`` when ``ADJUDGE_CACHE_DIR`` names a folder that
    cannot be used.
    """
    if _environ is None or not _ABLE:
        return None
    named = _environ.get(VARIABLE, "")
    if named == OFF or (not named and _environ.get("CI", "").lower() not in ("", "false", "0")):
        return None
    home = _environ.get("HOME", "")
    folder = Path(named) if named else _below(_environ, "XDG_CACHE_HOME", home, ".cache")
    keys = _below(_environ, "XDG_STATE_HOME", home, ".local/state")
    if folder is None or keys is None:
        return None
    cache = Cache(folder, keys)
    if named and not (folder.is_absolute() and cache.usable()):
        raise InputError(
            "cache_dir_invalid",
            f"{VARIABLE} names {named}, which is no folder that only you can use",
            hint=f"name a whole path; the folder is yours, mode 0700, no link; or {VARIABLE}={OFF}",
        )
    return cache


def _below(environ: Mapping[str, str], variable: str, home: str, default: str) -> Path | None:
    """The folder ``adjudge`` in one of the user's folders; a relative one does not count, and
    nobody's home is made for it."""
    above = environ.get(variable, "")
    if not os.path.isabs(above):
        above = os.path.join(home, default)
        if not os.path.isabs(above) or not os.path.isdir(home):
            return None
    return Path(above, "adjudge")


# -- files -----------------------------------------------------------------------------------


@contextmanager
def _private(folder: Path, *, make: bool = True) -> Iterator[int]:
    """The folder, open.  Raises OSError unless it is the user's, no link, and closed to
    everybody else."""
    if make:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700, parents=True)
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _mine(os.fstat(opened))
        yield opened
    finally:
        os.close(opened)


def _mine(found: os.stat_result) -> None:
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError("not this user's alone")


def _read(folder: int, name: str, limit: int) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(name, flags, dir_fd=folder), "rb") as file:
        found = os.fstat(file.fileno())
        _mine(found)
        if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
            raise OSError("no entry")
        return file.read(limit)


def _create(folder: int, name: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(name, flags, 0o600, dir_fd=folder), "wb") as file:
        file.write(data)


def _write(folder: int, name: str, data: bytes) -> None:
    temporary = _TEMPORARY + secrets.token_hex(8)
    try:
        _create(folder, temporary, data)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _evict(folder: int, newest: str) -> None:
    """Remove what was not used for longest, and what others left half written, until the
    folder is within its bounds again."""
    found = []
    for name in os.listdir(folder):
        with suppress(OSError):
            each = os.stat(name, dir_fd=folder, follow_symlinks=False)
            found.append((name != newest, -each.st_mtime_ns, name, each.st_size))
    found.sort()
    total = 0
    for count, (_, _, name, size) in enumerate(found, 1):
        total += size
        if count > MAX_ENTRIES or total > MAX_BYTES:
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
