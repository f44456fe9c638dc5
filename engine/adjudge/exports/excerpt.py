"""A line of a judged file and a column in, the part worth showing out.

The line may be megabytes long (an SBOM on one line), may hold secrets and characters
that cannot be seen; what comes out is short, redacted and spelled out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from adjudge.exports.escape import visible

MAX_EXCERPT = 2_000
"""Characters of a source line kept around the column a finding points at."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A line of a judged file, or the part of a long one around the column.

    ``column`` is where the finding points, 1-based, in ``text``.
    """

    text: str
    column: int
    cut_before: bool = False
    cut_after: bool = False

    def fit(self, room: int, more: str = "…") -> tuple[str, str]:
        """The text before and from the column on, ready to show in ``room`` terminal cells."""
        before = visible(self.text[: self.column - 1])
        after = visible(self.text[self.column - 1 :])
        cut_left, cut_right = self.cut_before, self.cut_after
        keep = max(room // 2, room - cell_len(after) - len(more))
        if cell_len(before) > keep:
            before = _first_cells(before[::-1], keep - len(more))[::-1]
            cut_left = True
        if cut_left:
            before = more + before
        left = room - cell_len(before)
        if cell_len(after) > left:
            after = _first_cells(after, left - len(more))
            cut_right = True
        return before, after + (more if cut_right else "")


def cut_excerpt(line: str, column: int, secrets: Sequence[tuple[int, int, str]]) -> Excerpt:
    """The part of ``line`` around a 1-based column, with spans of secrets replaced."""
    point = min(max(column, 1) - 1, len(line))
    start = max(0, point - MAX_EXCERPT // 2)
    end = min(len(line), start + MAX_EXCERPT)
    parts: list[str] = []
    at, shift = start, 0
    for first, last, name in secrets:
        if last <= start or first >= end:
            continue
        mark = f"[redacted: {name}]"
        parts += [line[at:first], mark]
        at = last
        if last <= point:
            shift += len(mark) - (last - max(first, start))
        elif first < point:
            point = max(first, start)
    parts.append(line[at:end])
    return Excerpt("".join(parts), point - start + shift + 1, start > 0, end < len(line))


def _first_cells(text: str, cells: int) -> str:
    used = 0
    for index, char in enumerate(text):
        used += cell_len(char)
        if used > cells:
            return text[:index]
    return text
