"""Decision records in files, for commands that take one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from adjudge.errors import InputError
from adjudge.source import Location

if TYPE_CHECKING:
    from adjudge.decision.model import Decision

MAX_BYTES = 256 * 1024 * 1024
"""More than the largest record."""


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file.

    Raises :class:`InputError` ``file_unreadable``, ``file_too_large``.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(
            "file_unreadable", f"{path} cannot be read: {why.lower()}", hint="check the path"
        ) from None
    if len(data) > limit:
        raise InputError("file_too_large", f"{path} is larger than {limit} bytes")
    return data


def read_record(path: Path) -> Decision:
    """The decision record in a file.

    Raises :class:`InputError` ``decision_invalid``, ``decision_digest_mismatch``, and the
    errors of :func:`read_bytes`.
    """
    from adjudge.decision.model import Decision

    data = read_bytes(path)
    try:
        return Decision.from_json(data)
    except InputError as error:
        raise InputError(
            error.code,
            error.message,
            location=Location(str(path), 1, 1),
            hint=error.hint or "give a record as `adjudge check --output json=FILE` writes it",
        ) from None
