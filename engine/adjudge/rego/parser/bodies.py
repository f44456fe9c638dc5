"""Bodies: tokens to expressions with ``not``, ``some``, ``every``, ``:=``, ``=`` and ``with``."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from adjudge.rego.lexer import FUTURE_KEYWORDS, LOGICAL_KEYWORDS
from adjudge.rego.parser.cursor import REFERS
from adjudge.rego.parser.terms import MEMBER_2, MEMBER_3, OPERATORS, TermParser
from adjudge.rego.syntax import (
    Body,
    Call,
    Every,
    Expr,
    Ref,
    SomeDecl,
    SomeIn,
    Term,
    Var,
    With,
)
from adjudge.source import Location

_ASSIGN: Final = Var("assign")
_UNIFY: Final = Var("eq")

_GO_ON_NAME: Final = REFERS | {"in"} | OPERATORS.keys()

_QUALIFIERS: Final = frozenset({"not", "some", "every"})


class BodyParser(TermParser):
    """Parses bodies and the expressions in them.  Conditions are a subclass's."""

    @abstractmethod
    def condition(self) -> Expr | None:
        """The expression that begins with a negated, braced or grouped operand, if one does."""

    @abstractmethod
    def joined(self, expr: Expr, start: int) -> Expr:
        """The expression whose first operand is ``expr``, read from token ``start`` on."""

    def body(self, end: str) -> Body:
        """Expressions separated by ``;`` or line ends, up to and including ``end``."""
        kinds, newlines = self.kinds, self.newlines
        if kinds[self.i] == end:
            raise self.error("found empty body")
        found = []
        while True:
            found.append(self.literal())
            kind = kinds[self.i]
            if kind == ";":
                self.i += 1
            elif kind == end:
                self.i += 1
                return tuple(found)
            elif self.i not in newlines:
                raise self.unexpected(f"expected \\n or ; or {end}", self._missing_import())

    def _missing_import(self) -> str | None:
        """The hint for a word that only an import makes a keyword."""
        word = self.texts[self.i]
        known = word in FUTURE_KEYWORDS or word in LOGICAL_KEYWORDS
        if self.kinds[self.i] != "ident" or not known:
            return None
        return f"`import future.keywords.{word}` makes `{word}` a keyword"

    def literal(self) -> Expr:
        """One expression of a body."""
        if self.logical or self.not_bodies:
            found = self.condition()
            if found is not None:
                return found
        start = self.i
        loc = self.locs[start]
        kind = self.kinds[start]
        left: Term | None = None
        negated = False
        if kind != "ident" and self.named_by_keyword():
            self.i += 1
            left = self.reference(Var(self.texts[start], loc))
        elif kind in _QUALIFIERS:
            if kind == "not":
                negated = True
                kind = self.negated()
            if kind == "some":
                return self._some()
            if kind == "every":
                return self._every()
        term = self.equation(loc, left)
        withs = self.withs() if self.kinds[self.i] == "with" else ()
        expr = Expr(term, negated, withs, loc)
        return self.joined(expr, start) if self.logical else expr

    def equation(self, loc: Location, left: Term | None = None) -> Term:
        """A term, or two with ``:=`` or ``=`` between them.

        ``left`` is the first term's beginning if that is read already.
        """
        term = self.expression(left)
        kind = self.kinds[self.i]
        if kind == ":=" or kind == "=":
            self.i += 1
            function = _ASSIGN if kind == ":=" else _UNIFY
            return Call(function, (term, self.expression()), True, loc)
        return term

    def negated(self) -> str:
        """Step over ``not``; the kind of what is negated."""
        self.i += 1
        kind = self.kinds[self.i]
        if kind == "some" or kind == "every":
            raise self.unexpected(f"illegal negation of '{kind}'")
        return kind

    def withs(self) -> tuple[With, ...]:
        """``with`` modifiers, as long as there are any."""
        found = []
        while self.at_keyword("with"):
            loc = self.locs[self.i]
            self.i += 1
            if self.kinds[self.i] != "ident":
                raise self.unexpected("expected ident")
            target = self.term()
            if not isinstance(target, (Var, Ref)):
                raise self.unexpected("expected with target path")
            if self.kinds[self.i] != "as":
                raise self.unexpected("expected as keyword")
            self.i += 1
            found.append(With(target, self.expression(), loc))
        return tuple(found)

    def _some(self) -> Expr:
        loc = self.locs[self.i]
        self.i += 1
        if not self._declares_names():
            term = self.expression()
            found = _membership(term)
            if found is None:
                raise self.unexpected("expected `x in xs` or `x, y in xs` expression")
            some_in = SomeIn(*found, loc)
            return Expr(some_in, False, self.withs(), loc)
        names = []
        while True:
            if self.kinds[self.i] != "ident":
                raise self.unexpected("expected var")
            names.append(Var(self.texts[self.i], self.locs[self.i]))
            self.i += 1
            if self.kinds[self.i] != ",":
                return Expr(SomeDecl(tuple(names), loc), False, (), loc)
            self.i += 1

    def _declares_names(self) -> bool:
        """Whether names, and nothing but names, follow ``some``."""
        kinds = self.kinds
        i = self.i
        while kinds[i] == "ident" and kinds[i + 1] == ",":
            i += 2
        return kinds[i] == "ident" and kinds[i + 1] not in _GO_ON_NAME

    def _every(self) -> Expr:
        start = self.i
        loc = self.locs[start]
        self.i += 1
        found = _membership(self.expression())
        if found is None:
            raise self.unexpected("expected `x[, y] in xs { ... }` expression")
        key, value, domain = found
        if key is not None and not isinstance(key, Var):
            raise self.error("expected key to be a variable", start + 1)
        if not isinstance(value, Var):
            raise self.error("expected value to be a variable", start + 1)
        if self.kinds[self.i] != "{":
            raise self.unexpected("missing body")
        self.i += 1
        every = Every(key, value, domain, self.body("}"), loc)
        return Expr(every, False, self.withs(), loc)


def _membership(term: Term) -> tuple[Term | None, Term, Term] | None:
    """Key, value and domain of ``v in xs`` or ``k, v in xs``."""
    if isinstance(term, Call) and term.infix:
        if term.operator is MEMBER_2:
            return None, term.args[0], term.args[1]
        if term.operator is MEMBER_3:
            return term.args[0], term.args[1], term.args[2]
    return None
