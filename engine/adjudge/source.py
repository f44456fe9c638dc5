"""Places in source text: 1-based rows and columns, and how they are shown."""

from __future__ import annotations

from typing import NamedTuple


class Location(NamedTuple):
    """A place in a file.  ``row`` and ``col`` count from 1; columns are characters."""

    file: str
    row: int
    col: int

    def __str__(self) -> str:
        return f"{self.file}:{self.row}:{self.col}" if self.file else f"{self.row}:{self.col}"


NOWHERE = Location("", 0, 0)
"""The location of nodes that no source text stands behind (generated code)."""

_MAX_LINE = 200


def line_of(text: str, row: int) -> str:
    """The ``row``-th line of ``text`` without its line end, or the empty string."""
    if row < 1:
        return ""
    lines = text.split("\n", row)
    return lines[row - 1].rstrip("\r") if row <= len(lines) else ""


def excerpt(line: str, location: Location, width: int = _MAX_LINE) -> str:
    """``line`` with a caret under ``location.col``; long lines are cut around the caret."""
    col = max(location.col, 1)
    start = 0
    if len(line) > width:
        start = max(0, min(col - 1 - width // 2, len(line) - width))
    shown = line[start : start + width]
    shown = "".join(c if c.isprintable() or c == "\t" else "�" for c in shown)
    pad = "".join("\t" if c == "\t" else " " for c in shown[: col - 1 - start])
    gutter = f"  {location.row} | "
    return f"{gutter}{shown}\n{' ' * (len(gutter) - 2)}| {pad}^"
