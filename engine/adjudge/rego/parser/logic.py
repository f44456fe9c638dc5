"""Conditions: tokens to ``not {…}``, ``a and b``, ``a or b`` and groups of them.

These are what ``import future.keywords.not`` (``.and``, ``.or``) and ``import rego.v2``
add to the language.  Braces where an operand is expected hold a body, parentheses a group
of operands; only what follows tells these from a set and from a term in parentheses.
So they are read on trial, and what came of it is remembered: else nested trials multiply.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from adjudge.rego.errors import RegoParseError
from adjudge.rego.lexer import LOGICAL_KEYWORDS, Tokens
from adjudge.rego.parser.bodies import BodyParser
from adjudge.rego.parser.cursor import CODE, PARENTHESES
from adjudge.rego.syntax import (
    Body,
    Call,
    Condition,
    Every,
    Expr,
    Logical,
    Not,
    Object,
    SomeDecl,
    SomeIn,
    Var,
)
from adjudge.source import Location

_VOID: Final = Var("print")
_UNION: Final = Var("or")


class LogicParser(BodyParser):
    """Parses expressions of which conditions may be parts."""

    def __init__(self, tokens: Tokens, max_depth: int) -> None:
        super().__init__(tokens, max_depth)
        self._groups: dict[tuple[int, bool], tuple[Condition | RegoParseError | None, int]] = {}
        self._bodies: dict[int, tuple[Body | RegoParseError, int]] = {}

    def condition(self) -> Expr | None:
        """The expression that begins with a negated, braced or grouped operand, if one does."""
        kind = self.kinds[self.i]
        found: Condition | None = None
        if kind == "not" and self.not_bodies and not self.named_by_keyword():
            found = self._negation()
        elif kind == "{" and self.logical:
            found = self._leading_body()
        elif kind in PARENTHESES and self.logical:
            found = self._group(operand=False)
        return None if found is None else self._tail(found)

    def joined(self, expr: Expr, start: int) -> Expr:
        """The expression whose first operand is ``expr``, read from token ``start`` on."""
        if not self._at_operator() or isinstance(expr.term, (SomeDecl, SomeIn, Every)):
            return expr
        if expr.withs:
            raise self._with_on_operand(expr.withs[0].loc)
        if self.kinds[start] == "{":
            if isinstance(expr.term, Object) and not expr.term.pairs:
                raise self.error("found empty body", start)
            raise self._value_in_braces(start, self.kinds[self.i])
        return self._tail(Condition((expr,), False, expr.loc))

    def _at_operator(self) -> bool:
        return self.kinds[self.i] in LOGICAL_KEYWORDS

    def _tail(self, first: Condition) -> Expr:
        """The expression that begins with an operand, or is nothing else, and its ``with``."""
        if self._at_operator():
            expr = self._chain(first)
            return self._modified(expr)
        expr = self._modified(replace(first.body[0], loc=first.loc))
        if self._at_operator():
            raise self._with_on_operand(expr.withs[0].loc)
        return expr

    def _modified(self, expr: Expr) -> Expr:
        if not self.at_keyword("with"):
            return expr
        return replace(expr, withs=(*self.withs(), *expr.withs))

    # -- operators ---------------------------------------------------------------------

    def _chain(self, left: Condition) -> Expr:
        """The operators that follow ``left``; ``and`` binds tighter than ``or``."""
        left = self._conjunction(left)
        while self.kinds[self.i] == "or":
            self.i += 1
            left = self._join("or", left, self._conjunction(self._operand("or")))
        return left.body[0]

    def _conjunction(self, left: Condition) -> Condition:
        while self.kinds[self.i] == "and":
            self.i += 1
            left = self._join("and", left, self._operand("and"))
        return left

    def _join(self, operator: Literal["and", "or"], left: Condition, right: Condition) -> Condition:
        self.links += 1
        for side in (left, right):
            if all(_is_void(expr) for expr in side.body):
                raise RegoParseError(
                    CODE,
                    f"operand of `{operator}` cannot consist only of calls to `print`",
                    location=side.body[0].loc,
                    hint="`print` always succeeds; move it out of the operand",
                )
        expr = Expr(Logical(operator, left, right, left.loc), loc=left.loc)
        return Condition((expr,), False, left.loc)

    def _operand(self, operator: str) -> Condition:
        """One operand; ``operator`` is empty while it is open whether it is one."""
        start = self.i
        loc = self.locs[start]
        kind = self.kinds[start]
        if kind == "{":
            return self._braced_operand(operator)
        negated = kind == "not" and not self.named_by_keyword()
        if negated and self.not_bodies:
            return self._negation(operand=True)
        if negated:
            self.negated()
        elif kind in PARENTHESES and self.logical:
            group = self._group(operand=True)
            if group is not None:
                return group
        return Condition((Expr(self.equation(loc), negated, (), loc),), False, loc)

    def _negation(self, operand: bool = False) -> Condition:
        """``not`` and what it negates.

        The modifiers of an operand are left to the operator's expression.
        """
        loc = self.locs[self.i]
        kind = self.negated()
        inner: Condition | None = None
        if kind == "{":
            inner = self._braced_operand("not")
        elif kind in PARENTHESES:
            inner = self._group(operand=True)
        if inner is None:
            here = loc if not operand else self.locs[self.i]
            inner = Condition((Expr(self.equation(here), loc=here),), False, here)
        return Condition((Expr(Not(inner, loc), loc=loc),), False, loc)

    # -- braces and parentheses --------------------------------------------------------

    def _body_here(self) -> Body:
        """The body in the braces that begin here."""
        start = self.i
        if start not in self._bodies:
            self.i += 1
            try:
                found: Body | RegoParseError = self.body("}")
            except RegoParseError as error:
                found = error
            self._bodies[start] = found, self.i
        found, self.i = self._bodies[start]
        if isinstance(found, RegoParseError):
            raise found
        return found

    def _leading_body(self) -> Condition | None:
        """The body in braces that begins an expression; None if they hold something else."""
        start = self.i
        try:
            body = self._body_here()
        except RegoParseError:
            body = ()
        if not body or not self._at_operator():
            self.i = start
            return None
        self._refuse_union(body, start)
        return Condition(body, True, self.locs[start])

    def _braced_operand(self, operator: str) -> Condition:
        """The body in braces that is an operand."""
        start = self.i
        try:
            body = self._body_here()
        except RegoParseError as error:
            if self.kinds[start + 1] == "}" or not operator or not self._is_term_at(start):
                raise error from None
            raise self._value_in_braces(start, operator) from None
        if operator:
            self._refuse_union(body, start)
        return Condition(body, True, self.locs[start])

    def _is_term_at(self, start: int) -> bool:
        failed, self.i = self.i, start
        try:
            self.expression()
        except RegoParseError:
            return False
        finally:
            self.i = failed
        return True

    def _value_in_braces(self, start: int, operator: str) -> RegoParseError:
        if operator == "not":
            message = "`{...}` in an operand position must contain expression(s)"
        else:
            message = (
                f"operand of `{operator}` cannot begin with `{{` unless the braces hold a body"
            )
        return self.error(message, start, "put the value in parentheses: `({…})`")

    def _refuse_union(self, body: Body, start: int) -> None:
        """Refuse ``{a | b}``, which a reader takes for a comprehension."""
        term = body[0].term
        if not isinstance(term, Call) or term.operator != _UNION or not term.infix:
            return
        if self.kinds[start + 1] not in PARENTHESES:
            raise self.error(
                "ambiguous `{ ... | ... }` operand: read as a body holding a set-union"
                " expression, not as a comprehension",
                start,
                "write `({… | …})` for the comprehension, `{(… | …)}` for the set union",
            )

    def _group(self, *, operand: bool) -> Condition | None:
        """Operands in parentheses; None if the parentheses are a part of a term.

        ``operand`` tells that an operand is expected here.
        """
        key = self.i, operand
        if key not in self._groups:
            try:
                found: Condition | RegoParseError | None = self._read_group(operand)
            except RegoParseError as error:
                found = error
            if found is None:
                self.i = key[0]
            self._groups[key] = found, self.i
        found, self.i = self._groups[key]
        if isinstance(found, RegoParseError):
            raise found
        return found

    def _read_group(self, operand: bool) -> Condition | None:
        start = self.i
        loc = self.locs[start]
        self.i += 1
        if self.kinds[self.i] == ")":
            if operand:
                raise self.error("empty parenthesized group", start)
            return None
        try:
            first = self._operand("")
        except RegoParseError:
            return None
        if self._at_operator():
            if first.braced:
                self._refuse_union(first.body, start + 1)
            expr = self._modified(self._chain(first))
            self._close()
            return Condition((expr,), False, loc)
        if first.braced:
            self._refuse_body(start)
            return None
        expr = first.body[0]
        if self.at_keyword("with"):
            expr = self._modified(expr)
            if self._at_operator():
                raise self._with_on_operand(expr.withs[0].loc)
            self._close()
            return Condition((expr,), False, loc) if operand or self._at_operator() else None
        if expr.negated or isinstance(expr.term, (Not, Logical)):
            self._close()
            return Condition((expr,), False, loc)
        return None

    def _close(self) -> None:
        if self.kinds[self.i] != ")":
            raise self.error("expected ) to close parenthesized group")
        self.i += 1

    def _refuse_body(self, start: int) -> None:
        """Refuse ``({…})`` unless the braces hold a value."""
        self.i = start + 1
        try:
            self.term()
        except RegoParseError:
            message = "`(...)` in an operand position cannot contain a body"
            hint = "drop the parentheses: `{…}`"
            raise self.error(message, start, hint) from None

    def _with_on_operand(self, loc: Location) -> RegoParseError:
        operator = self.kinds[self.i]
        return RegoParseError(
            CODE,
            f"`with` modifier is not allowed on operand of `{operator}`",
            location=loc,
            hint="put the operand in parentheses, or `with` after the whole expression",
        )


def _is_void(expr: Expr) -> bool:
    """Whether an expression is a call that always succeeds."""
    term = expr.term
    return isinstance(term, Call) and term.operator == _VOID and not expr.negated
