"""Where things stand in the source: a syntax tree's text to rows, for the formatter.

The formatter keeps the line breaks that mean something to the reader: whether a list is
on one line, where blank lines are, which comment is beside what.  For trees that no
Rego text stands behind, there is no layout, and lines are broken by their length.
"""

from __future__ import annotations

from typing import Final

from adjudge.rego.lexer import KEYWORDS, Tokens, tokenize
from adjudge.rego.syntax import Module
from adjudge.source import Location

_OPENERS: Final = frozenset({"(", " (", "[", " [", "{", "template", "template-open"})
_CLOSERS: Final = frozenset({")", "]", "}", "template-end", "template-close"})

# More than the parser allows: what was parsed is not refused here.
_MAX_DEPTH: Final = 1_000_000


def layout_of(module: Module) -> Layout | None:
    """The layout of a module's source; None if the source is not the module's Rego text."""
    tokens = tokenize(module.source, module.file, KEYWORDS, _MAX_DEPTH)
    layout = Layout(tokens)
    index = layout.index(module.package_loc)
    if index is None or tokens.texts[index : index + 2] != ["package", module.package[0]]:
        return None
    return layout


class Layout:
    """The tokens of a text, found by their location."""

    def __init__(self, tokens: Tokens) -> None:
        self.kinds = tokens.kinds
        self.texts = tokens.texts
        self.rows = [loc.row for loc in tokens.locs]
        self._index = {(loc.row, loc.col): i for i, loc in enumerate(tokens.locs)}
        self._closers: dict[int, int] = {}
        open_brackets: list[int] = []
        for i, kind in enumerate(self.kinds):
            if kind in _OPENERS:
                open_brackets.append(i)
            elif kind in _CLOSERS and open_brackets:
                self._closers[open_brackets.pop()] = i

    def index(self, loc: Location) -> int | None:
        """The index of the token at a location."""
        return self._index.get((loc.row, loc.col))

    def closing_row(self, loc: Location) -> int:
        """The row in which the bracket or template that begins at ``loc`` ends; else 0."""
        index = self.index(loc)
        return 0 if index is None else self.closed_in(index)

    def closed_in(self, index: int) -> int:
        """The row of the bracket that closes the one at an index; 0 if there is none."""
        closer = self._closers.get(index)
        return 0 if closer is None else self.rows[closer]

    def before(self, loc: Location) -> int | None:
        """The index of the token before the one at ``loc``."""
        index = self.index(loc)
        return index - 1 if index else None

    def end_row(self, index: int) -> int:
        """The row a token ends in."""
        lines = self.texts[index].count("\n") if self.kinds[index] == "raw" else 0
        return self.rows[index] + lines

    def end_before(self, loc: Location) -> int:
        """The row in which the token before ``loc`` ends; 0 if there is none."""
        index = self.before(loc)
        return 0 if index is None else self.end_row(index)

    def literal(self, loc: Location) -> str | None:
        """The text of the string or number at ``loc``."""
        index = self.index(loc)
        if index is None or self.kinds[index] not in ("string", "raw", "number"):
            return None
        return self.texts[index]
