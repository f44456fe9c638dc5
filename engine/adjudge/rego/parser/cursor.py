"""Tokens and a place among them: what every part of the parser shares, and its errors."""

from __future__ import annotations

from typing import Final

from adjudge.rego.errors import RegoParseError
from adjudge.rego.lexer import ALL_KEYWORDS, KEYWORD_NAME, NAMES, Tokens

REFERS: Final = frozenset({".", "[", "("})
"""The kinds that go on with the term they touch."""

PARENTHESES: Final = frozenset({"(", " ("})

CODE: Final = "rego_parse_error"


class Cursor:
    """A place in a list of tokens.  ``i`` is the index of the token looked at."""

    def __init__(self, tokens: Tokens, max_depth: int) -> None:
        self.tokens = tokens
        self.kinds = tokens.kinds
        self.texts = tokens.texts
        self.locs = tokens.locs
        self.newlines = tokens.newlines
        self.max_depth = max_depth
        self.i = 0
        # Operators and calls of calls since the statement began: with these a tree
        # gets deep without any bracket.
        self.links = 0
        # Where `[` or `{` was found not to begin a comprehension; asked again on a
        # second attempt, so that nested attempts do not multiply.
        self.no_comprehension: set[int] = set()
        # Whether `not` negates conditions, and whether `and` and `or` join them.
        self.not_bodies = False
        self.logical = False
        # Whether there are template strings.
        self.templates = True

    def named_by_keyword(self) -> bool:
        """Whether a keyword stands here that is a name, as ``.`` or ``[`` touches it."""
        kind = self.kinds[self.i]
        return kind == KEYWORD_NAME or (kind in ALL_KEYWORDS and self.kinds[self.i + 1] == "[")

    def at_keyword(self, word: str) -> bool:
        """Whether ``word`` stands here after a term, and not a name as in ``word["x"]``."""
        return self.kinds[self.i] == word and self.kinds[self.i + 1] != "["

    def error(self, message: str, i: int | None = None, hint: str | None = None) -> RegoParseError:
        """A parse error at token ``i``, by default the one looked at."""
        at = self.i if i is None else i
        return RegoParseError(CODE, message, location=self.locs[at], hint=hint)

    def unexpected(self, note: str = "", hint: str | None = None) -> RegoParseError:
        """The error that the token looked at cannot stand here."""
        kind = self.kinds[self.i]
        if kind == "illegal":
            return self.error(self.texts[self.i])
        if kind == KEYWORD_NAME:
            kind = self.texts[self.i]
        if kind in ALL_KEYWORDS:
            message = f"unexpected {kind} keyword"
        else:
            message = f"unexpected {NAMES.get(kind, kind)} token"
        return self.error(f"{message}: {note}" if note else message, hint=hint)
