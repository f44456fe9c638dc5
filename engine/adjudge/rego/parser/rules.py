"""Rules: tokens to heads, bodies, ``else`` chains and defaults."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import Final, NamedTuple

from adjudge.rego.errors import RegoParseError
from adjudge.rego.lexer import KEYWORDS, LOGICAL_KEYWORDS
from adjudge.rego.parser.logic import LogicParser
from adjudge.rego.parser.terms import OPERATORS, value_name
from adjudge.rego.parser.walk import contains_variable
from adjudge.rego.syntax import (
    Body,
    Call,
    Every,
    Head,
    Logical,
    Not,
    Ref,
    Rule,
    Scalar,
    Set,
    SomeDecl,
    SomeIn,
    Term,
    Var,
)

_SPACED: Final = {" .": ".", " [": "[", " (": "("}

_GOES_ON: Final = frozenset({".", "[", "(", "in", ":=", "=", *OPERATORS, *LOGICAL_KEYWORDS})
"""What, after ``{…}``, makes the braces the first term of an expression."""

_RULE_NAME_FOLLOWERS: Final = frozenset({":=", "=", "if", "contains", "(", " ("})
_PATH_NAME_FOLLOWERS: Final = frozenset({":=", "=", "(", " ("})
_OPERATOR_NAME_FOLLOWERS: Final = frozenset({":=", "=", "if", "contains"})

_NAME_FOLLOWERS: Final = {
    "every": _RULE_NAME_FOLLOWERS,
    "if": _RULE_NAME_FOLLOWERS,
    "in": _RULE_NAME_FOLLOWERS,
    "some": _RULE_NAME_FOLLOWERS,
    "as": _RULE_NAME_FOLLOWERS,
    "package": _PATH_NAME_FOLLOWERS,
    "import": _PATH_NAME_FOLLOWERS,
    "not": _OPERATOR_NAME_FOLLOWERS,
    "and": _OPERATOR_NAME_FOLLOWERS,
    "or": _OPERATOR_NAME_FOLLOWERS,
    "contains": frozenset({"if", "contains"}),
}
"""Keywords, and the tokens after them that show a rule was meant to have that name."""

_EQUATIONS: Final = (Var("assign"), Var("eq"))

_STATEMENT_WORDS: Final = frozenset({"ident", "eof", "default", "import", "package", "if"})


class _Start(NamedTuple):
    """What a rule begins with, up to its body."""

    head: Head
    contains: bool
    # White space stood between the name and the bracket after it.
    spaced: bool
    # The name was called; with no argument the rule is no function all the same.
    called: bool


class RuleParser(LogicParser):
    """Parses rules.  What only Rego v1 forbids is collected in ``v1_errors``."""

    v1_errors: list[RegoParseError]
    builtins: Container[str]

    def rules(self) -> list[Rule]:
        """The rule at this place, and those that its further bodies ``{…} {…}`` make."""
        start = self.i
        loc = self.locs[start]
        self._refuse_keyword(start, certain=False)
        begun = self._head(default=False)
        head = begun.head
        kind = self.kinds[self.i]
        if kind == "if" and (self.at_keyword(kind) or (head.key or head.value) is None):
            self.i += 1
            body = self._if_body()
        elif kind == "{":
            head = self._partial_set(begun)
            self.i += 1
            body = self.body("}")
            self._require_if(head, start)
            if head.key is not None and not begun.contains:
                self._require_contains(start)
        elif begun.contains:
            return [Rule(head, loc=loc, end_row=self._row())]
        else:
            return [self._statement(begun, start)]
        self._check_name(head, start)
        end_row = self._row()
        orelse = None
        if self.at_keyword("else"):
            orelse = self._elses(head)
        rules = [Rule(head, body, orelse, False, (), loc, end_row)]
        while self.kinds[self.i] == "{":
            if orelse is not None:
                raise self.error("expected else keyword")
            at = self.i
            self.i += 1
            body = self.body("}")
            if kind == "{":
                self._require_if(head, at)
            rules.append(Rule(head, body, loc=self.locs[at], end_row=self._row()))
        return rules

    def default(self) -> Rule:
        """The default rule at this place."""
        start = self.i
        self.i += 1
        self._refuse_keyword(self.i, certain=True)
        head = self._head(default=True).head
        self._check_default(head, start)
        self._check_name(head, start)
        return Rule(head, default=True, loc=self.locs[start], end_row=self._row())

    # -- heads -------------------------------------------------------------------------

    def _refuse_keyword(self, i: int, *, certain: bool) -> None:
        """Refuse a keyword as the name of a rule."""
        kind = self.kinds[i]
        followers = _NAME_FOLLOWERS.get(kind)
        if followers and (certain or self.kinds[i + 1] in followers):
            raise self.error(f"{kind} keyword cannot be used for rule name", i)

    def _head(self, default: bool) -> _Start:
        """``p``, ``p.q[x]``, ``f(x, y)``, with ``contains key``, ``:= value``, ``= value``."""
        start = self.i
        loc = self.locs[start]
        if self.kinds[start] != "ident" and not self.named_by_keyword():
            raise self.unexpected() if default else self._no_rule()
        self.i += 1
        term: Term = Var(self.texts[start], loc)
        kind = self.kinds[self.i]
        spaced = kind in _SPACED
        if spaced:
            kind = self.kinds[self.i] = _SPACED[kind]
        if kind in _SPACED.values():
            term = self.reference(term)
        ref, args = _ref_and_args(term)
        if ref is None:
            raise self.error(f"{value_name(term)} cannot be used for rule name", start)
        called = args is not None
        args = args or None
        kind = self.kinds[self.i]
        if kind == "contains":
            if called:
                raise self.unexpected(
                    "the contains keyword can only be used with multi-value rules, not functions"
                )
            self.i += 1
            head = Head(ref, None, self.expression(), loc=loc)
            return _Start(head, True, spaced, called)
        value = None
        if kind == ":=" or kind == "=":
            self.i += 1
            value = self.expression()
        return _Start(Head(ref, args, None, value, kind == ":=", loc), False, spaced, called)

    def _partial_set(self, begun: _Start) -> Head:
        """The head of ``p[x]`` without ``if``: the partial set ``p`` of ``x``."""
        head = begun.head
        ref = head.ref
        if begun.contains or head.args is not None or head.value is not None:
            return head
        if isinstance(ref, Ref) and len(ref.operands) == 1 and isinstance(ref.head, Var):
            return replace(head, ref=ref.head, key=ref.operands[0])
        return head

    def _statement(self, begun: _Start, start: int) -> Rule:
        """A rule without a body: ``p := 1``, ``f(x) := x``, v0 ``p[1]``."""
        head = begun.head
        self._refuse_statement(begun, start)
        if head.value is None:
            if begun.called:
                self._check_call(head, start)
            elif isinstance(head.ref, Var):
                if self.kinds[self.i] not in _STATEMENT_WORDS and self.i not in self.newlines:
                    raise self.unexpected()
                raise self.error("var cannot be used for rule name", start)
            head = self._partial_set(begun)
            if head.key is not None:
                self._require_contains(start)
            elif not begun.called:
                self._v1_error("rule must have value assignment and/or body declaration", start)
        self._check_name(head, start)
        return Rule(head, loc=self.locs[start], end_row=self._row())

    def _check_call(self, head: Head, start: int) -> None:
        """Refuse a call alone that cannot be meant to define a function."""
        if _dotted(head.ref) in self.builtins:
            raise self.error("rule name conflicts with built-in function", start)
        if head.args is None:
            raise self.error("rule argument list must take at least one argument", start)

    def _refuse_statement(self, begun: _Start, start: int) -> None:
        """Refuse what goes on as an expression does that cannot be a rule."""
        kind = self.kinds[self.i]
        if begun.spaced:
            raise self.error("var cannot be used for rule name", start)
        if kind == "with":
            raise self.error("expressions using with keyword cannot be used for rule head", start)
        if kind == ";":
            raise self.error("multiple expressions cannot be used for rule head", start)
        if kind in LOGICAL_KEYWORDS:
            raise self.error("expression cannot be used for rule head", start)
        if kind in OPERATORS or kind == "in":
            if self.locs[self.i - 1].row == self.locs[self.i].row or kind != "in":
                raise self.error("rule name conflicts with built-in function", start)

    def _no_rule(self) -> RegoParseError:
        """The error about a statement that is an expression but no rule."""
        start = self.i
        expr = self.literal()
        if self.kinds[self.i] == ";":
            return self.error("multiple expressions cannot be used for rule head", start)
        if expr.withs:
            message = "expressions using with keyword cannot be used for rule head"
        elif expr.negated:
            message = "negated expressions cannot be used for rule head"
        elif isinstance(expr.term, (SomeDecl, SomeIn)):
            message = "'some' declarations cannot be used for rule head"
        elif isinstance(expr.term, Call) and expr.term.operator in _EQUATIONS:
            message = f"{value_name(expr.term.args[0])} cannot be used for rule name"
        elif isinstance(expr.term, (Every, Not, Logical)):
            message = "expression cannot be used for rule head"
        else:
            message = f"{value_name(expr.term)} cannot be used for rule name"
        return self.error(message, start)

    # -- bodies ------------------------------------------------------------------------

    def _if_body(self) -> Body:
        """What follows ``if``: one expression, or a body in braces.

        Braces are a body where they could be a set, and an expression where they
        are an object or a comprehension, or where an operator follows them.
        """
        start = self.i
        if self.kinds[start] != "{":
            return (self.literal(),)
        body, failure, end = None, None, start
        if self.kinds[start + 1] != "}":
            self.i += 1
            try:
                body = self.body("}")
            except RegoParseError as error:
                failure = error
            end = self.i
            if body and self.kinds[end] not in _GOES_ON and not _begins_with_or(body):
                return body
        self.i = start
        try:
            literal = self.literal()
        except RegoParseError as error:
            if body is None:
                raise failure or error from None
        else:
            if not isinstance(literal.term, Set):
                return (literal,)
            if body is None and failure is not None:
                self.i = end
                raise failure
        self.i = end
        return body or ()

    def _elses(self, head: Head) -> Rule:
        """The ``else`` clauses that stand here, each in the ``orelse`` of the one before."""
        if isinstance(head.ref, Ref) and contains_variable(head.ref.operands):
            raise self.error("else keyword cannot be used on rules with variables in head")
        if head.key is not None:
            raise self.error("else keyword cannot be used on multi-value rules")
        clauses = [self._else(head)]
        while self.at_keyword("else"):
            clauses.append(self._else(head))
        self.links += len(clauses)
        chain = clauses.pop()
        for clause in reversed(clauses):
            chain = replace(clause, orelse=chain)
        return chain

    def _else(self, head: Head) -> Rule:
        start = self.i
        loc = self.locs[start]
        self.i += 1
        kind = self.kinds[self.i]
        value, assign = None, False
        body: Body = ()
        if kind == ":=" or kind == "=":
            assign = kind == ":="
            self.i += 1
            value = self.expression()
            kind = self.kinds[self.i]
        elif kind != "if" and kind != "{":
            raise self.unexpected("expected else value term or rule body")
        if kind == "if" or kind == "{":
            body = self._else_body(head, start)
        head = Head(head.ref, head.args, None, value, assign, loc)
        return Rule(head, body, loc=loc, end_row=self._row())

    def _else_body(self, head: Head, start: int) -> Body:
        if self.kinds[self.i] == "if":
            self.i += 1
        else:
            self._require_if(head, start)
        if self.kinds[self.i] == "{":
            self.i += 1
            return self.body("}")
        if self.kinds[self.i] == "eof":
            raise self.unexpected("rule body expected")
        return (self.literal(),)

    # -- checks ------------------------------------------------------------------------

    def _row(self) -> int:
        """The row that the token read last ends in."""
        last = self.i - 1
        row = self.locs[last].row
        if self.kinds[last] == "raw":
            row += self.texts[last].count("\n")
        return row

    def _check_default(self, head: Head, start: int) -> None:
        if head.value is None:
            # `default p` is `default p := true` in OPA, but `default p.q` is an error.
            short = isinstance(head.ref, Ref) and len(head.ref.operands) == 1
            if head.key is not None or (short and not head.args):
                raise self.error("illegal default rule (must have a value)", start)
        elif culprit := contains_variable((head.value,)):
            raise self.error(f"illegal default rule (value cannot contain {culprit})", start)
        seen = set()
        for arg in head.args or ():
            if not isinstance(arg, Var):
                message = f"illegal default rule (arguments cannot contain {value_name(arg)})"
                raise self.error(message, start)
            if arg.name in seen and arg.name != "_":
                message = f"illegal default rule (arguments cannot be repeated {arg.name})"
                raise self.error(message, start)
            seen.add(arg.name)

    def _v1_error(self, message: str, i: int, hint: str | None = None) -> None:
        self.v1_errors.append(self.error(message, i, hint))

    def _require_if(self, head: Head, i: int) -> None:
        what = "rule" if head.args is None else "function"
        hint = "write `if` before the `{`, or read the module as Rego v0"
        self._v1_error(f"`if` keyword is required before {what} body", i, hint)

    def _require_contains(self, i: int) -> None:
        hint = "write `p contains x` for `p[x]`, or read the module as Rego v0"
        self._v1_error("`contains` keyword is required for partial set rules", i, hint)

    def _check_name(self, head: Head, i: int) -> None:
        if isinstance(head.ref, Var) and head.ref.name in KEYWORDS:
            self._v1_error(f"{head.ref.name} keyword cannot be used for rule name", i)


def _ref_and_args(term: Term) -> tuple[Var | Ref | None, tuple[Term, ...] | None]:
    """The reference and the arguments of a head; no reference if it begins with a call."""
    args = None
    if isinstance(term, Call):
        args, term = term.args, term.operator
    if isinstance(term, Var) or (isinstance(term, Ref) and isinstance(term.head, Var)):
        return term, args
    return None, None


def _dotted(ref: Var | Ref) -> str:
    """``a.b.c`` as text."""
    if isinstance(ref, Var):
        return ref.name
    head = ref.head.name if isinstance(ref.head, Var) else ""
    return ".".join((head, *(str(o.value) for o in ref.operands if isinstance(o, Scalar))))


def _begins_with_or(body: Body) -> bool:
    """Whether the first operator of the first expression is ``|``: a comprehension."""
    term = body[0].term
    while isinstance(term, Logical) and not term.left.braced:
        term = term.left.body[0].term
    function = None
    while isinstance(term, Call) and term.infix and len(term.args) == 2:
        function = term.operator
        term = term.args[0]
    return function == Var("or")
