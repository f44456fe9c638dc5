"""Terms: tokens to scalars, references, calls, collections, comprehensions and templates."""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Final

from adjudge.rego.errors import RegoParseError
from adjudge.rego.lexer import ALL_KEYWORDS
from adjudge.rego.parser.cursor import CODE, REFERS, Cursor
from adjudge.rego.runtime.numbers import parse_number
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Body,
    Call,
    Every,
    Expr,
    Logical,
    Not,
    Object,
    ObjectCompr,
    Ref,
    Scalar,
    Set,
    SetCompr,
    SomeDecl,
    SomeIn,
    Template,
    Term,
    Var,
)
from adjudge.source import Location

OPERATORS: Final = {
    "==": (1, Var("equal")),
    "!=": (1, Var("neq")),
    "<": (1, Var("lt")),
    "<=": (1, Var("lte")),
    ">": (1, Var("gt")),
    ">=": (1, Var("gte")),
    "|": (2, Var("or")),
    "&": (3, Var("and")),
    "+": (4, Var("plus")),
    "-": (4, Var("minus")),
    "*": (5, Var("mul")),
    "/": (5, Var("div")),
    "%": (5, Var("rem")),
}
"""Infix operators, all left associative: token kind to precedence and function."""

MEMBER_2: Final = Ref(Var("internal"), (Scalar("member_2"),))
MEMBER_3: Final = Ref(Var("internal"), (Scalar("member_3"),))

_MINUS: Final = OPERATORS["-"][1]

_ESCAPED_BRACE: Final = re.compile(r"\\(.)", re.DOTALL)

_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")

_CAN_BE_HEAD: Final = (Var, Call, Array, Object, Set, ArrayCompr, SetCompr, ObjectCompr)


class TermParser(Cursor):
    """Parses terms.  Bodies, which comprehensions contain, are a subclass's."""

    @abstractmethod
    def body(self, end: str) -> Body:
        """A body up to and including the token of kind ``end``."""

    @abstractmethod
    def literal(self) -> Expr:
        """One expression of a body."""

    # -- operators ---------------------------------------------------------------------

    def expression(self, left: Term | None = None) -> Term:
        """A term with operators, ``x in xs`` and ``k, v in xs`` among them.

        ``left`` is its first term if that is read already.
        """
        if left is None:
            left = self.term()
        kind = self.kinds[self.i]
        if kind in OPERATORS:
            left = self.operators(left)
            kind = self.kinds[self.i]
        if kind == ",":
            return self._key_member(left)
        return self._members(left) if kind == "in" else left

    def item(self, left: Term | None = None) -> Term:
        """As ``expression``, in a list: a comma ends the term."""
        if left is None:
            left = self.term()
        if self.kinds[self.i] in OPERATORS:
            left = self.operators(left)
        return self._members(left) if self.kinds[self.i] == "in" else left

    def operators(self, left: Term) -> Term:
        """The term that begins with ``left`` and goes on with an infix operator."""
        kinds = self.kinds
        # Operands that wait for an operator of higher precedence to be applied.
        waiting: list[tuple[int, Var, Term]] = []
        while True:
            found = OPERATORS.get(kinds[self.i])
            precedence = found[0] if found else 0
            while waiting and waiting[-1][0] >= precedence:
                _, function, first = waiting.pop()
                left = Call(function, (first, left), True, first.loc)
            if found is None:
                return left
            waiting.append((precedence, found[1], left))
            self.links += 1
            self.i += 1
            left = self.term()

    def _relation(self) -> Term:
        left = self.term()
        return self.operators(left) if self.kinds[self.i] in OPERATORS else left

    def _members(self, left: Term) -> Term:
        """``left in xs``, and ``in`` again."""
        while self.at_keyword("in"):
            self.i += 1
            self.links += 1
            left = Call(MEMBER_2, (left, self._relation()), True, left.loc)
        return left

    def _key_member(self, key: Term) -> Term:
        """``key, v in xs``; only ``key`` is read if no such thing stands here."""
        at = self.i
        self.i += 1
        try:
            value = self._relation()
        except RegoParseError:
            value = None
        if value is None or self.kinds[self.i] != "in":
            self.i = at
            return key
        self.i += 1
        self.links += 1
        call = Call(MEMBER_3, (key, value, self._relation()), True, key.loc)
        return self._members(call)

    # -- references and calls ----------------------------------------------------------

    def term(self) -> Term:
        """One term without operators."""
        i = self.i
        kind = self.kinds[i]
        if kind == "ident" or kind == "contains":
            self.i = i + 1
            left: Term = Var(self.texts[i], self.locs[i])
        else:
            primary = self._primary.get(kind)
            if primary is None:
                raise self._no_term()
            left = primary(self)
        return self.reference(left) if self.kinds[self.i] in REFERS else left

    def _no_term(self) -> RegoParseError:
        if self.kinds[self.i] not in (".", " ."):
            return self.unexpected()
        word = self.texts[self.i]
        kind = f"{word} keyword" if word in ALL_KEYWORDS else "identifier token"
        return self.error(f"unexpected {kind}: expected number")

    def reference(self, head: Term) -> Term:
        """``head`` with the operands and arguments that touch it."""
        kinds, texts, locs = self.kinds, self.texts, self.locs
        loc = head.loc
        if not isinstance(head, _CAN_BE_HEAD):
            message = f"illegal ref (head cannot be {value_name(head)})"
            raise RegoParseError(CODE, message, location=loc)
        operands: list[Term] = []
        i = self.i
        while True:
            kind = kinds[i]
            if kind == ".":
                operands.append(Scalar(texts[i], locs[i]))
                i += 1
            elif kind == "[":
                self.i = i + 1
                operands.append(self.expression())
                i = self.i
                if kinds[i] != "]":
                    raise self.unexpected("expected [")
                i += 1
            elif kind == "(" and (operands or not isinstance(head, Call)):
                operator = Ref(head, tuple(operands), loc) if operands else head
                if not isinstance(operator, (Var, Ref)):
                    raise self.error(f"illegal call of {value_name(operator)}", i)
                self.i = i + 1
                self.links += 1
                head = self._call(operator)
                operands = []
                i = self.i
            else:
                self.i = i
                return Ref(head, tuple(operands), loc) if operands else head

    def _call(self, operator: Var | Ref) -> Term:
        args = self.items(")")
        if not args and isinstance(operator, Var) and operator.name == "set":
            return Set((), operator.loc)
        return Call(operator, tuple(args), False, operator.loc)

    def items(self, end: str, first: Term | None = None) -> list[Term]:
        """A list of terms up to and including ``end``; ``first`` is read already."""
        kinds = self.kinds
        found: list[Term] = [] if first is None else [first]
        fresh = first is None
        while True:
            kind = kinds[self.i]
            if kind == end:
                self.i += 1
                return found
            if not fresh:
                if kind != ",":
                    raise self.unexpected(f'expected "," or "{end}"')
                self.i += 1
                if kinds[self.i] == end:
                    continue
            found.append(self.item())
            fresh = False

    # -- collections -------------------------------------------------------------------

    def _comprehension(self, opener: int, end: str) -> Body | None:
        """The body after ``|``; None when it is the operator ``|`` after all.

        ``{a | b, c}`` is a set of two, which is known only at the comma.
        """
        if opener in self.no_comprehension:
            return None
        bar = self.i
        self.i = bar + 1
        try:
            return self.body(end)
        except RegoParseError:
            if self.kinds[self.i] != ",":
                raise
            self.i = bar
            self.no_comprehension.add(opener)
            return None

    def _leading_comma(self) -> bool:
        # OPA skips it "for backwards compatibility".
        if self.kinds[self.i] == ",":
            self.i += 1
            return True
        return False

    def _array(self) -> Term:
        opener = self.i
        loc = self.locs[opener]
        self.i = opener + 1
        if self.kinds[self.i] == "]":
            self.i += 1
            return Array((), loc)
        comma = self._leading_comma()
        head = self.term()
        if self.kinds[self.i] == "|" and not comma:
            body = self._comprehension(opener, "]")
            if body is not None:
                return ArrayCompr(head, body, loc)
        return Array(tuple(self.items("]", self.item(head))), loc)

    def _braces(self) -> Term:
        """A set, an object, or a comprehension of one."""
        opener = self.i
        loc = self.locs[opener]
        self.i = opener + 1
        if self.kinds[self.i] == "}":
            self.i += 1
            return Object((), loc)
        comma = self._leading_comma()
        head = self.term()
        kind = self.kinds[self.i]
        if kind == "|" and not comma:
            body = self._comprehension(opener, "}")
            if body is not None:
                return SetCompr(head, body, loc)
        head = self.item(head)
        kind = self.kinds[self.i]
        if kind == ":":
            return self._object(opener, head, comma)
        if kind != "," and kind != "}":
            raise self.unexpected("non-terminated set")
        return Set(tuple(self.items("}", head)), loc)

    def _object(self, opener: int, key: Term, comma: bool) -> Term:
        """An object or its comprehension, from the colon after its first key."""
        loc = self.locs[opener]
        self.i += 1
        value = self.term()
        if self.kinds[self.i] == "|" and not comma:
            body = self._comprehension(opener, "}")
            if body is not None:
                return ObjectCompr(key, value, body, loc)
        value = self.item(value)
        pairs = [(key, value)]
        while True:
            kind = self.kinds[self.i]
            if kind == ",":
                self.i += 1
                kind = self.kinds[self.i]
                if kind != "}":
                    key = self.item()
                    if self.kinds[self.i] != ":":
                        raise self.unexpected('expected ":"')
                    self.i += 1
                    pairs.append((key, self.item()))
                    continue
            if kind != "}":
                raise self.unexpected(
                    "non-terminated object" if len(pairs) == 1 else 'expected "," or "}"'
                )
            self.i += 1
            return Object(tuple(pairs), loc)

    def _parenthesis(self) -> Term:
        self.i += 1
        inner = self.expression()
        if self.kinds[self.i] != ")":
            raise self.error("non-terminated expression")
        self.i += 1
        return inner

    # -- scalars -----------------------------------------------------------------------

    def _constant(self) -> Term:
        i = self.i
        self.i = i + 1
        return Scalar(_CONSTANTS[self.kinds[i]], self.locs[i])

    def _string(self) -> Term:
        i = self.i
        text = self.texts[i]
        if "\\" in text:
            value = unescape(text)
            if value is None:
                raise self.error(f"illegal string literal: {text}")
        else:
            value = text[1:-1]
        self.i = i + 1
        return Scalar(value, self.locs[i])

    def _raw_string(self) -> Term:
        i = self.i
        self.i = i + 1
        return Scalar(self.texts[i][1:-1], self.locs[i])

    def _number(self) -> Term:
        return self._signed("", self.locs[self.i])

    def _signed(self, sign: str, loc: Location) -> Term:
        text = self.texts[self.i]
        if text[0] == ".":
            text = "0" + text
        elif text[0] == "0" and len(text) > 1 and text[1] not in ".eE":
            raise self.unexpected("expected number without leading zero")
        try:
            value = parse_number(sign + text)
        except ValueError as error:
            raise self.error(str(error)) from None
        self.i += 1
        return Scalar(value, loc)

    def _minus(self) -> Term:
        """A negative number, or ``-x``, which is ``0 - x``."""
        minus = self.i
        loc = self.locs[minus]
        self.i = minus + 1
        kind = self.kinds[self.i]
        if kind == "number":
            return self._signed("-", loc)
        if kind != "ident" and kind != "contains":
            raise self.unexpected("expected number")
        return Call(_MINUS, (Scalar(0, loc), self.term()), True, loc)

    def _set_function(self) -> Term:
        """The keyword ``and`` or ``or`` where a term must be: the function of sets."""
        i = self.i
        if self.kinds[i + 1] != "(":
            raise self.unexpected()
        self.i = i + 1
        return Var(self.texts[i], self.locs[i])

    # -- templates ---------------------------------------------------------------------

    def _template(self) -> Term:
        loc = self.locs[self.i]
        if not self.templates:
            raise self.error("template strings are not supported by current capabilities")
        raw = self.texts[self.i] == "`"
        self.i += 1
        parts: list[str | Term | Expr] = []
        while self.kinds[self.i] != "template-end":
            if self.kinds[self.i] == "template-text":
                parts.append(self._template_text(raw))
            elif self.kinds[self.i] == "template-open":
                self.i += 1
                parts.append(self._template_expression())
            else:
                raise self.unexpected()
        self.i += 1
        return Template(tuple(parts), raw, loc)

    def _template_text(self, raw: bool) -> str:
        text = self.texts[self.i]
        if raw:
            value: str | None = text.replace("\\{", "{")
        else:
            bare = _ESCAPED_BRACE.sub(lambda m: "{" if m[1] == "{" else m[0], text)
            value = unescape(f'"{bare}"') if "\\" in bare else bare
        if value is None:
            raise self.error(f"illegal template-string part: {text}")
        self.i += 1
        return value

    def _template_expression(self) -> Term | Expr:
        start = self.i
        expr = self.literal()
        term = expr.term
        if self.kinds[self.i] != "template-close":
            raise self.error("expected } to end template string expression")
        if isinstance(term, (Every, SomeDecl, SomeIn, Not, Logical)):
            word = _WORDS.get(type(term), "some")
            if isinstance(term, Logical):
                word = term.operator
            raise self.error(f"unexpected '{word}' in template-string expression", start)
        what = ""
        if expr.negated:
            what = "negation ('not')"
        elif isinstance(term, Call) and term.operator == Var("assign"):
            what = "assignment (':=')"
        elif isinstance(term, Call) and term.operator == Var("eq"):
            what = "unification ('=')"
        if what:
            raise self.error(f"unexpected {what} in template-string expression", start)
        self.i += 1
        return expr if expr.withs else term

    _primary: ClassVar[dict[str, Callable[[TermParser], Term]]] = {
        "string": _string,
        "number": _number,
        "raw": _raw_string,
        "template": _template,
        "true": _constant,
        "false": _constant,
        "null": _constant,
        "[": _array,
        " [": _array,
        "{": _braces,
        "(": _parenthesis,
        " (": _parenthesis,
        "-": _minus,
        "and": _set_function,
        "or": _set_function,
    }


_WORDS: Final = {Every: "every", Not: "not"}

_CONSTANTS: Final = {"true": True, "false": False, "null": None}


def unescape(literal: str) -> str | None:
    """The value of a JSON string literal; None if it is not one.

    A lone surrogate becomes U+FFFD, as in Go.
    """
    try:
        value = json.loads(literal)
    except ValueError:
        return None
    return _LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else None


_VALUE_NAMES: Final = {
    Var: "var",
    Ref: "ref",
    Call: "call",
    Array: "array",
    Object: "object",
    Set: "set",
    ArrayCompr: "arraycomprehension",
    SetCompr: "setcomprehension",
    ObjectCompr: "objectcomprehension",
    Template: "templatestring",
}


def value_name(term: Term) -> str:
    """What error messages call the kind of a term; OPA's names."""
    if isinstance(term, Scalar):
        value = term.value
        if value is None:
            return "null"
        return {bool: "boolean", str: "string"}.get(type(value), "number")
    return _VALUE_NAMES[type(term)]
