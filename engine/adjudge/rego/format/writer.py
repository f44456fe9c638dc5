"""Lines of text, with comments put where they stood."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from adjudge.rego.syntax import Comment
from adjudge.source import Location

INDENT: Final = "\t"


class Writer:
    """Collects lines.  Comments come in order of their rows; each is written once.

    ``at(row)`` says which row of the source the text that follows comes from.  Comments
    of earlier rows go before the line that is being begun, or else to its end.

    Comments are METADATA because they stand in the first column.  So those stay there,
    and below the line they were in; and no other comment gets there next to them.
    """

    def __init__(self, comments: Iterable[Comment] = ()) -> None:
        self.lines: list[str] = []
        self.level = 0
        self._line: list[str] = []
        # The indentation of the current line, that of its first text.
        self._line_level = 0
        ordered = sorted(comments, key=lambda c: (c.loc.row, c.loc.col))
        self._metadata = _metadata(ordered)
        self._comments = deque(ordered)
        # Comments that belong to the line being written, and the last row it has.
        self._held: list[Comment] = []
        self._row = 0

    def text(self) -> str:
        """Everything written, with one line end at its end."""
        return "\n".join(self.lines).rstrip("\n") + "\n"

    def width(self) -> int:
        """How long the current line is so far."""
        return sum(map(len, self._line)) + len(INDENT) * self._line_level

    def write(self, text: str) -> None:
        """Add to the current line."""
        if not self._line:
            self._line_level = self.level
        self._line.append(text)

    def at(self, row: int) -> None:
        """Say that what follows comes from a row."""
        if self._comments and self._comments[0].loc.row < row:
            earlier = self._take(row - 1)
            if self._line:
                self._held += earlier
            else:
                self._own_lines(earlier, row)
        self._row = max(self._row, row)

    def newline(self) -> None:
        """End the current line, with the comments that belong there."""
        if self._row:
            self._held += self._take(self._row)
        level = self._line_level if self._line else self.level
        text = "".join(self._line)
        self._line.clear()
        held, self._held = self._held, []
        below = [comment for comment in held if comment.loc in self._metadata]
        if below:
            held = [comment for comment in held if comment.loc not in self._metadata]
        if held:
            *above, beside = held
            # Above a closing bracket is still inside of the brackets.
            inner = level + text.startswith((")", "]", "}"))
            if above and inner == 0:
                self.blank()
            for comment in above:
                self._put(_text(comment, inner == 0 and _says_metadata(comment)), inner)
            text = f"{text} {_text(beside)}" if text else _text(beside, _says_metadata(beside))
        self._put(text, level)
        if below:
            self.blank()
            self._own_lines(below, 0)
            self.lines.append("")

    def blank(self) -> None:
        """Have one blank line before what follows."""
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def set_apart(self, index: int) -> None:
        """Have a blank line before the line at ``index`` if that is a comment."""
        if self.lines[index].lstrip(INDENT).startswith("#") and self.lines[index - 1]:
            self.lines.insert(index, "")

    def beside(self, row: int) -> list[Comment]:
        """Take the comments of a row."""
        found = [comment for comment in self._comments if comment.loc.row == row]
        for comment in found:
            self._comments.remove(comment)
        return found

    def hold(self, comments: Iterable[Comment]) -> None:
        """Have comments written with the current line."""
        self._held += comments

    def waits(self, row: int) -> bool:
        """Whether a comment of an earlier row is still to be written."""
        return bool(self._held or (self._comments and self._comments[0].loc.row < row))

    def rest(self) -> None:
        """Write the comments that are left."""
        if self._comments:
            self.blank()
            self._own_lines(self._take(None), 0)

    def _take(self, row: int | None) -> list[Comment]:
        taken = []
        while self._comments and (row is None or self._comments[0].loc.row <= row):
            taken.append(self._comments.popleft())
        return taken

    def _own_lines(self, comments: list[Comment], row: int) -> None:
        """Write comments on lines of their own, with the blank lines between them."""
        previous: Comment | None = None
        for comment in comments:
            in_block = comment.loc in self._metadata
            starts_block = _says_metadata(comment)
            after_block = previous is not None and previous.loc in self._metadata
            if previous is None and in_block and self.level:
                self.blank()
            if previous is not None:
                apart = comment.loc.row - previous.loc.row > 1
                if apart or (in_block and starts_block and after_block):
                    self.lines.append("")
                    after_block = False
            could_be = not in_block and (after_block or starts_block)
            level = 0 if in_block else self.level
            self._put(_text(comment, level == 0 and could_be), level)
            previous = comment
        if previous is not None and row - previous.loc.row > 1:
            self.lines.append("")

    def _put(self, text: str, level: int) -> None:
        self.lines.append(INDENT * level + text if text else "")


def _metadata(comments: list[Comment]) -> set[Location]:
    """Where the comments of METADATA blocks are."""
    found: set[Location] = set()
    previous: Comment | None = None
    for comment in comments:
        if comment.loc.col == 1:
            goes_on = (
                previous is not None
                and previous.loc in found
                and comment.loc.row == previous.loc.row + 1
            )
            if goes_on or _says_metadata(comment):
                found.add(comment.loc)
        previous = comment
    return found


def _says_metadata(comment: Comment) -> bool:
    return comment.text.strip().startswith("METADATA")


def _text(comment: Comment, shifted: bool = False) -> str:
    """A comment as text; ``shifted`` by a column so as not to be taken for METADATA."""
    text = ("#" + comment.text).rstrip()
    return f" {text}" if shifted else text
