"""The root of every error adjudge raises on purpose.

Each phase subclasses :class:`AdjudgeError`.  An error carries a stable ``code``
(part of the public interface), a sentence for a person, a location when the
cause is in a file, and a hint that says what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable

from adjudge.source import Location, excerpt

WIDTH = 200
"""Columns of a rendered error, unless the caller knows better."""


class AdjudgeError(Exception):
    """An expected failure: bad usage, bad input, a policy that does not compile.

    ``code`` is stable and machine readable.  ``source`` is the text of the
    source line the location points into, when it is known.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        location: Location | None = None,
        hint: str | None = None,
        source: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.location = location
        self.hint = hint
        self.source = source

    def __str__(self) -> str:
        where = f"{self.location}: " if self.location else ""
        return f"{where}{self.code}: {self.message}"

    def render(self, width: int = WIDTH) -> str:
        """The message with the source line (cut to ``width`` columns), a caret under the
        column, and the hint."""
        lines = [str(self)]
        if self.location and self.source is not None:
            gutter = len(f"  {self.location.row} | ")
            lines.append(excerpt(self.source, self.location, max(width - gutter, 20)))
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class ErrorList(AdjudgeError):
    """Several errors of one phase, sorted by location."""

    def __init__(self, errors: Iterable[AdjudgeError]) -> None:
        self.errors = sorted(errors, key=_error_order)
        if not self.errors:
            raise ValueError("ErrorList needs at least one error")
        first = self.errors[0]
        super().__init__(
            first.code,
            first.message,
            location=first.location,
            hint=first.hint,
            source=first.source,
        )

    def __str__(self) -> str:
        return "\n".join(str(e) for e in self.errors)

    def render(self, width: int = WIDTH) -> str:
        """Every error rendered, in order."""
        return "\n".join(e.render(width) for e in self.errors)


def _error_order(error: AdjudgeError) -> tuple[str, int, int, str, str]:
    loc = error.location
    if loc is None:
        return ("", 0, 0, error.code, error.message)
    return (loc.file, loc.row, loc.col, error.code, error.message)


class InputError(AdjudgeError):
    """A file under judgement, or a file the operator named, cannot be used."""


class UsageError(AdjudgeError):
    """The command or the call itself is wrong."""
