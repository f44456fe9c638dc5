"""Collects what is wrong with one policy file: pointers and sentences in, located errors out.

Codes are ``yaml_policy_*`` and stable.  Every error of a file is reported, so nothing in
this package raises on a mistake of the author: it is added here, and compilation goes on
as far as it can.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

from adjudge.documents.model import Parsed
from adjudge.errors import AdjudgeError
from adjudge.rego.errors import RegoCompileError
from adjudge.source import Location, line_of

MAX_ERRORS: Final = 200
"""How many errors of one file are reported."""

_SHOWN: Final = 60


class Problems:
    """The errors and warnings of one policy file.

    Pointers are JSON pointers into the policy text.
    """

    def __init__(self, text: str, file: str, parsed: Parsed | None = None) -> None:
        self._text = text
        self._file = file
        self._parsed = parsed
        self._known: set[object] = set()
        self.errors: list[AdjudgeError] = []
        self.warnings: list[AdjudgeError] = []

    @property
    def full(self) -> bool:
        """Whether so many errors are known that looking for more is not worth the time."""
        return len(self.errors) >= MAX_ERRORS

    def location(self, pointer: str, *, key: bool = False) -> Location:
        """Where the value (or its key) at ``pointer`` starts, or what encloses it."""
        while self._parsed is not None:
            place = self._parsed.locate_key(pointer) if key else None
            place = place or self._parsed.locate(pointer)
            if place is not None:
                return Location(self._file, place.line, place.column)
            if not pointer:
                break
            pointer = pointer.rpartition("/")[0]
        return Location(self._file, 1, 1)

    def add(self, code: str, message: str, where: str | Location, hint: str | None = None) -> None:
        """An error at a pointer or a location; the same one twice is one, and so are too many."""
        error = self._error(code, message, where, hint)
        known = (code, message, error.location)
        if known not in self._known and not self.full:
            self._known.add(known)
            self.errors.append(error)

    def add_at_key(self, code: str, message: str, pointer: str, hint: str | None = None) -> None:
        """An error about the key at ``pointer``."""
        self.add(code, message, self.location(pointer, key=True), hint)

    def warn(self, code: str, message: str, where: str | Location, hint: str | None = None) -> None:
        """A doubt about a policy that compiles."""
        self.warnings.append(self._error(code, message, where, hint))

    def _error(
        self, code: str, message: str, where: str | Location, hint: str | None
    ) -> RegoCompileError:
        location = where if isinstance(where, Location) else self.location(where)
        return RegoCompileError(
            f"yaml_policy_{code}",
            message,
            location=location,
            hint=hint,
            source=line_of(self._text, location.row),
        )


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """``did you mean x?`` for the known name most like ``name``, or None."""
    found = close_match(name, known)
    return f"did you mean {found}?" if found else None


def close_match(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name most like ``name``, ignoring case, or None."""
    by_lower = {k.lower(): k for k in sorted(known)}
    found = difflib.get_close_matches(name[:_SHOWN].lower(), list(by_lower), n=1, cutoff=cutoff)
    return by_lower[found[0]] if found else None


def choices(known: Iterable[str], limit: int = 12) -> str:
    """``a, b, c`` for a hint; long lists are cut."""
    names = sorted(known)
    more = f", … ({len(names) - limit} more)" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def shown(value: object) -> str:
    """A value of a policy as it appears in a message: short, on one line."""
    text = repr(value) if isinstance(value, str) else _scalar(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _scalar(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else str(value)
