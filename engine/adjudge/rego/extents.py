"""A module in, the places where its expressions, terms and heads end out.

The syntax tree knows where a node begins.  Its end is found by the tokens: a term goes on
as long as brackets and names touch it, an expression as long as its last part does.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from adjudge.rego.lexer import KEYWORDS, tokenize
from adjudge.rego.parser import MAX_DEPTH
from adjudge.rego.syntax import (
    Call,
    Condition,
    Every,
    Expr,
    Head,
    Logical,
    Module,
    Not,
    SomeDecl,
    SomeIn,
    Statement,
    Var,
    walk,
)
from adjudge.source import Location

_OPENERS = {"[": "]", " [": "]", "(": ")", " (": ")", "{": "}", "template-open": "template-close"}
_CLOSERS = frozenset(_OPENERS.values())
_GOES_ON = frozenset({".", "[", "("})


_OPERATORS = frozenset(
    {
        *("plus", "minus", "mul", "div", "rem", "and", "or", "equal", "neq"),
        *("lt", "lte", "gt", "gte", "internal.member_2", "internal.member_3"),
    }
)


class Extent(NamedTuple):
    """From the first character to the one after the last; rows and columns count from 1."""

    row: int
    col: int
    end_row: int
    end_col: int


class Extents:
    """Where the parts of one module end."""

    def __init__(self, module: Module) -> None:
        self._source = module.source
        tokens = tokenize(module.source, module.file, KEYWORDS, MAX_DEPTH)
        self._kinds, self._texts = tokens.kinds, tokens.texts
        self._starts = [0]
        for line in module.source.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._offsets = [self._offset(loc) for loc in tokens.locs]
        self._closing = self._match()
        self._opening = {closer: opener for opener, closer in self._closing.items()}
        self._infix: dict[Location, list[Call]] = {}
        for node in walk(module.rules):
            if isinstance(node, Call) and node.infix:
                self._infix.setdefault(node.loc, []).append(node)

    def expr(self, expr: Expr) -> Extent:
        """The extent of an expression with its ``with`` modifiers."""
        first = self._at(expr.loc)
        last = self._statement(expr.term, first)
        if expr.withs:
            last = max(last, self._term(expr.withs[-1].value))
        return self._extent(first, last)

    def term(self, term: object) -> Extent:
        """The extent of a term."""
        return self._extent(self._at(term.loc), self._term(term))  # type: ignore[attr-defined]

    def head(self, head: Head) -> Extent:
        """The extent of a rule's head: name, arguments, key and value."""
        first = self._at(head.loc)
        last = self._chain(first)
        for part in (head.key, head.value):
            if part is not None and part.loc.row:
                last = max(last, self._term(part))
        return self._extent(first, last)

    def operation(self, made: Call) -> Extent:
        """The extent of the term that a call taken out of its expression stands for.

        ``made`` has the variable that takes the result as one argument more (the first of
        an ``eq``, the last of all others).
        """
        name = made.operator.name if isinstance(made.operator, Var) else ""
        if name == "eq":
            return self.term(made.args[1])
        last = made.args[-2].loc if len(made.args) > 1 else made.loc
        best: Call | None = None
        for call in self._infix.get(made.loc, ()):
            if len(call.args) == len(made.args) - 1 and (not last.row or call.args[-1].loc == last):
                best = call
        if best is not None and name in _OPERATORS:
            return self.term(best)
        return self.chain(made.loc)

    def chain(self, loc: Location) -> Extent:
        """The extent of the term at a place that is no operation."""
        first = self._at(loc)
        return self._extent(first, self._chain(first))

    def word(self, loc: Location) -> Extent:
        """The extent of the one token that begins at ``loc``."""
        first = self._at(loc)
        return self._extent(first, first)

    def text(self, extent: Extent) -> str:
        """The source text of an extent."""
        start = self._starts[extent.row - 1] + extent.col - 1
        end = self._starts[extent.end_row - 1] + extent.end_col - 1
        return self._source[start:end]

    # -- tokens ------------------------------------------------------------------------------

    def _offset(self, loc: Location) -> int:
        return self._starts[loc.row - 1] + loc.col - 1

    def _at(self, loc: Location) -> int:
        """The token that begins at a place, or the one the place is in."""
        return max(bisect_right(self._offsets, self._offset(loc)) - 1, 0)

    def _match(self) -> dict[int, int]:
        closing: dict[int, int] = {}
        stack: list[int] = []
        for index, kind in enumerate(self._kinds):
            if kind in _OPENERS:
                stack.append(index)
            elif kind in _CLOSERS and stack:
                closing[stack.pop()] = index
        return closing

    def _extent(self, first: int, last: int) -> Extent:
        # Parentheses that open inside belong to it, and those that close inside: the place
        # of `(a + b) * c` is that of `a`.
        for index in range(first, last + 1):
            last = max(last, self._closing.get(index, last))
            first = min(first, self._opening.get(index, first))
        length = 2 if self._kinds[last] == "template" else len(self._texts[last])
        row, col = self._place(self._offsets[first])
        return Extent(row, col, *self._place(self._offsets[last] + length))

    def _place(self, offset: int) -> tuple[int, int]:
        row = bisect_right(self._starts, offset)
        return row, offset - self._starts[row - 1] + 1

    # -- ends --------------------------------------------------------------------------------

    def _chain(self, index: int) -> int:
        """The last token of a term that begins with the token and is no operation."""
        kinds = self._kinds
        if kinds[index] == "template":
            while kinds[index] != "template-end" and index + 1 < len(kinds):
                index = self._closing.get(index + 1, index + 1)
            return index
        if kinds[index] == "-":
            index += 1
        index = self._closing.get(index, index)
        while index + 1 < len(kinds) and kinds[index + 1] in _GOES_ON:
            index = self._closing.get(index + 1, index + 1)
        return index

    def _term(self, term: object) -> int:
        if isinstance(term, Call) and term.infix:
            return max(self._term(arg) for arg in term.args)
        return self._chain(self._at(term.loc))  # type: ignore[attr-defined]

    def _statement(self, term: Statement, first: int) -> int:
        if isinstance(term, SomeDecl):
            return self._at(term.names[-1].loc)
        if isinstance(term, SomeIn):
            return self._term(term.domain)
        if isinstance(term, Every):
            return self._block(self._term(term.domain) + 1)
        if isinstance(term, Not):
            return self._condition(term.condition, first + 1)
        if isinstance(term, Logical):
            return self._condition(term.right, self._at(term.right.loc))
        return self._term(term)

    def _block(self, index: int) -> int:
        while index < len(self._kinds) - 1 and self._kinds[index] != "{":
            index += 1
        return self._closing.get(index, index)

    def _condition(self, condition: Condition, first: int) -> int:
        if condition.braced:
            return self._block(first)
        return max(self._statement(e.term, self._at(e.loc)) for e in condition.body)
