"""Bodies: tokens to expressions with ``not``, ``some``, ``every``, ``:=``, ``=`` and ``with``."""

from __future__ import annotations

from typing import Final

from adjudge.rego.lexer import FUTURE_KEYWORDS
from adjudge.rego.parser.cursor import REFERS
from adjudge.rego.parser.terms import MEMBER_2, MEMBER_3, OPERATORS, TermParser
from adjudge.rego.parser.walk import contains_call
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

_ASSIGN: Final = Var("assign")
_UNIFY: Final = Var("eq")

_GO_ON_NAME: Final = REFERS | {"in"} | OPERATORS.keys()

_QUALIFIERS: Final = frozenset({"not", "some", "every"})


class BodyParser(TermParser):
    """Parses bodies and the expressions in them."""

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
        """The hint for a word that only an import makes a keyword (Rego v0)."""
        word = self.texts[self.i]
        if self.kinds[self.i] != "ident" or word not in FUTURE_KEYWORDS:
            return None
        return f"`import future.keywords.{word}` makes `{word}` a keyword"

    def literal(self) -> Expr:
        """One expression of a body."""
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
                kind = self._negated()
            if kind == "some":
                return self._some()
            if kind == "every":
                return self._every()
        term = self.expression(left)
        if negated and self.not_bodies:
            self._check_negation(term, start)
        kind = self.kinds[self.i]
        if kind == ":=" or kind == "=":
            self.i += 1
            function = _ASSIGN if kind == ":=" else _UNIFY
            term = Call(function, (term, self.expression()), True, loc)
            kind = self.kinds[self.i]
        return Expr(term, negated, self._withs() if kind == "with" else (), loc)

    def _negated(self) -> str:
        """Step over ``not``; the kind of what is negated."""
        self.i += 1
        kind = self.kinds[self.i]
        if kind == "some" or kind == "every":
            raise self.unexpected(f"illegal negation of '{kind}'")
        if kind == "{" and self.not_bodies:
            raise self.error("`not` with a body, of `import future.keywords`, is not supported")
        return kind

    def _check_negation(self, term: Term, start: int) -> None:
        """Refuse a negation that ``import future.keywords`` gives another meaning in OPA.

        There ``not f(g(x))`` holds when ``g(x)`` is undefined, which else it does not.
        """
        if isinstance(term, Call) and contains_call(term.args):
            raise self.error(
                "`not` with a call inside of a call means something else after"
                " `import future.keywords`, which is not supported",
                start,
                "import the keywords you need by name, or assign the inner call to a variable",
            )

    def _withs(self) -> tuple[With, ...]:
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
            return Expr(some_in, False, self._withs(), loc)
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
        return Expr(every, False, self._withs(), loc)


def _membership(term: Term) -> tuple[Term | None, Term, Term] | None:
    """Key, value and domain of ``v in xs`` or ``k, v in xs``."""
    if isinstance(term, Call) and term.infix:
        if term.operator is MEMBER_2:
            return None, term.args[0], term.args[1]
        if term.operator is MEMBER_3:
            return term.args[0], term.args[1], term.args[2]
    return None
