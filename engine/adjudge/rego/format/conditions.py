"""Conditions as text: ``not {…}``, ``and`` and ``or``, with the parentheses they need."""

from __future__ import annotations

from adjudge.rego.format.terms import TermFormatter, begins_with_brace, operator_of
from adjudge.rego.syntax import Condition, Expr, Logical, Not

Operand = tuple[str, Condition, bool]
"""The operator before an operand, the operand, and whether it gets parentheses."""


class ConditionFormatter(TermFormatter):
    """Writes conditions."""

    # An expression whose leading union needs parentheses.
    united: Expr | None = None

    def negation(self, term: Not) -> None:
        """Write ``not`` and the condition."""
        self.out.write("not ")
        condition = term.condition
        bare = not condition.braced and not isinstance(condition.body[0].term, Not)
        self._operand(condition, bare and _is_simple(condition.body[0]))

    def logical(self, term: Logical) -> None:
        """Write operands and operators, on the rows that the source has them on."""
        chain = _chain(term)
        if self.layout is None:
            breaks = [self.too_long(lambda: self._in_one_line(chain))] * len(chain)
        else:
            breaks = [self._is_apart(condition) for _, condition, _ in chain]
        indented = False
        for i, (operator, condition, bare) in enumerate(chain):
            if i:
                self.out.write(f" {operator}")
                if breaks[i]:
                    self.out.newline()
                    self.out.level += not indented
                    indented = True
                else:
                    self.out.write(" ")
            self._operand(condition, bare)
        self.out.level -= indented

    def _in_one_line(self, chain: list[Operand]) -> None:
        for i, (operator, condition, bare) in enumerate(chain):
            self.out.write(f" {operator} " if i else "")
            self._operand(condition, bare)

    def _operand(self, condition: Condition, bare: bool) -> None:
        if condition.braced:
            self._braces(condition)
            return
        self.out.at(self.row(condition.loc))
        self.out.write("" if bare else "(")
        self.expr(condition.body[0])
        self.out.write("" if bare else ")")

    def _braces(self, condition: Condition) -> None:
        row = self.row(condition.loc)
        self.out.at(row)
        self.out.write("{")
        first = condition.body[0]
        if not first.negated and operator_of(first.term) == "|":
            # `{ a | b }` is refused here, as it looks like a comprehension.
            self.united = first
        closing = self.layout.closing_row(condition.loc) if self.layout is not None else 0
        broken = self.block(condition.body, row, closing)
        self.out.write("}" if broken else " }")

    def _is_apart(self, condition: Condition) -> bool:
        """Whether an operand is in a later row than the one before its operator."""
        operator = self.layout.before(condition.loc) if self.layout is not None else None
        if not operator or self.layout is None:
            return False
        return condition.loc.row > self.layout.end_row(operator - 1)


def leading(expr: Expr) -> Expr:
    """The expression that the text of an expression begins with."""
    while isinstance(expr.term, Logical) and not expr.negated:
        _, condition, bare = _chain(expr.term)[0]
        if condition.braced or not bare:
            break
        expr = condition.body[0]
    return expr


def leads_with_brace(expr: Expr) -> bool:
    """Whether the text of an expression begins with ``{``."""
    first = leading(expr)
    if isinstance(first.term, Logical):
        return first.term.left.braced
    return not first.negated and begins_with_brace(first.term)


def _chain(term: Logical) -> list[Operand]:
    """The operands of an operator, and of those on its left that need no parentheses."""
    found = [(term.operator, term.right, _stays_bare(term.right, term, last=True))]
    while True:
        left = term.left
        bare = _stays_bare(left, term, last=False)
        inner = left.body[0].term
        if left.braced or not bare or not isinstance(inner, Logical):
            return [("", left, bare), *reversed(found)]
        term = inner
        found.append((term.operator, term.right, _stays_bare(term.right, term, last=True)))


def _stays_bare(condition: Condition, parent: Logical, *, last: bool) -> bool:
    """Whether an operand without braces is read back as it is without parentheses."""
    expr = condition.body[0]
    if isinstance(expr.term, Logical):
        binds_tighter = parent.operator == "or" and expr.term.operator == "and"
        return not expr.withs and (binds_tighter or (not last and _same(expr.term, parent)))
    return (isinstance(expr.term, Not) and not expr.withs) or _is_simple(expr)


def _same(term: Logical, parent: Logical) -> bool:
    return term.operator == parent.operator


def _is_simple(expr: Expr) -> bool:
    """Whether an expression can stand as an operand: no modifiers, nothing like braces."""
    if expr.withs or isinstance(expr.term, (Not, Logical)):
        return False
    return expr.negated or not begins_with_brace(expr.term)
