"""Terms as text: literals, references, calls, operators, collections, comprehensions."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from adjudge.rego.format.layout import Layout
from adjudge.rego.format.writer import Writer
from adjudge.rego.lexer import KEYWORDS
from adjudge.rego.runtime.values import LiteralFloat
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Body,
    Call,
    Expr,
    Object,
    ObjectCompr,
    Ref,
    Scalar,
    Set,
    SetCompr,
    Template,
    Term,
    Var,
)
from adjudge.source import Location

INFIX: Final = {
    "assign": (":=", 0),
    "eq": ("=", 0),
    "equal": ("==", 2),
    "neq": ("!=", 2),
    "lt": ("<", 2),
    "lte": ("<=", 2),
    "gt": (">", 2),
    "gte": (">=", 2),
    "or": ("|", 3),
    "and": ("&", 4),
    "plus": ("+", 5),
    "minus": ("-", 5),
    "mul": ("*", 6),
    "div": ("/", 6),
    "rem": ("%", 6),
}
"""Function to operator and precedence; ``in`` has precedence 1."""

WIDTH: Final = 100
"""How long a line gets at most where no source says how it is broken."""

Place: TypeAlias = Literal["alone", "value", "domain", "argument", "element", "operand"]
"""Where a term stands, which says whether an operator in it needs parentheses.

``alone``: an expression of its own.  ``value``: after ``:=``, in brackets.  ``domain``: of
``every``.  ``argument``, ``element``: in a list.  ``operand``: next to an operator, the
head of a comprehension.  As OPA does, operators in operands get parentheses whether they
need them or not; only the outermost operator of an expression has bare operands.
"""

Item: TypeAlias = Term | tuple[Term, Term]

# What JSON leaves as it is and Rego text must not or should not contain.
_ESCAPED: Final = {0x7F: "\\u007f", 0xFEFF: "\\ufeff", 0xA0: "\\u00a0"}

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

_RAW: Final = re.compile(r"[^\x00-\x1f\x7f`\ufeff]*\\[^\x00-\x1f\x7f`\ufeff]*\Z")


def operator_of(term: object) -> str | None:
    """The operator a term is written with: ``==``, ``in`` …; None for all other terms.

    A call of an operator's function, such as ``plus(1, 2)``, is written with the operator.
    """
    if not isinstance(term, Call):
        return None
    if isinstance(term.operator, Ref):
        return "in" if term.infix else None
    name = term.operator.name
    if len(term.args) != 2 or name not in INFIX or not (term.infix or INFIX[name][1]):
        return None
    return INFIX[name][0]


def _precedence(term: Term) -> int:
    """The precedence of the operator a term is written with; high for all other terms."""
    if not operator_of(term) or not isinstance(term, Call):
        return 9
    return INFIX[term.operator.name][1] if isinstance(term.operator, Var) else 1


def begins_with_union(term: object) -> bool:
    """Whether a term, written alone, has ``|`` as its first operator.

    After an opening bracket that looks like a comprehension.
    """
    operator = operator_of(term)
    if operator == "|" or operator is None or not isinstance(term, Call):
        return operator == "|"
    return operator_of(term.args[0]) == "|" and _stays_bare(term, 0)


def begins_with_brace(term: object) -> bool:
    """Whether a term, written alone, begins with ``{``."""
    while True:
        if isinstance(term, Call) and operator_of(term):
            if operator_of(term.args[0]) and not _stays_bare(term, 0):
                return False
            term = term.args[0]
        elif isinstance(term, Ref):
            term = term.head
        else:
            is_set = isinstance(term, Set) and bool(term.items)
            return is_set or isinstance(term, (Object, SetCompr, ObjectCompr))


def _stays_bare(call: Call, i: int) -> bool:
    """Whether the operand ``i`` of an operator of an expression needs no parentheses."""
    return operator_of(call) != "in" and _precedence(call.args[i]) >= _precedence(call) + i


def leading_number(term: object) -> Scalar | None:
    """The negative number that a term, written alone, begins with.

    On a line of its own, its sign would continue the line above.
    """
    if isinstance(term, Call) and operator_of(term):
        first = term.args[0]
        if isinstance(first, Call) and operator_of(first) and _stays_bare(term, 0):
            first = first.args[0]
        term = first
    if isinstance(term, Scalar) and isinstance(term.value, (int, float, Decimal)):
        return term if str(term.value).startswith("-") else None
    return None


class TermFormatter(ABC):
    """Writes terms.  Bodies, which comprehensions contain, are a subclass's."""

    def __init__(self, writer: Writer, layout: Layout | None) -> None:
        self.out = writer
        self.layout = layout
        # Whether everything is written on one line, to see how long it gets.
        self.flat = False
        # A number that gets parentheses.
        self.guarded: Scalar | None = None
        # Names that keep the brackets they have: `a["if"]`.
        self.reserved: frozenset[str] = frozenset(KEYWORDS)

    @abstractmethod
    def lines(self, body: Body) -> None:
        """Write expressions, one a line."""

    @abstractmethod
    def expr(self, expr: Expr) -> None:
        """Write one expression, on the current line."""

    def row(self, loc: Location) -> int:
        """The row of a location in the source; 0 if there is no source."""
        return loc.row if self.layout is not None else 0

    def too_long(self, write: Callable[[], None]) -> bool:
        """Whether what ``write`` writes does not fit into the current line."""
        if self.flat:
            return False
        out, self.out, self.flat = self.out, Writer(), True
        write()
        length = self.out.width()
        self.out, self.flat = out, False
        return out.width() + length > WIDTH

    # -- terms -------------------------------------------------------------------------

    def term(self, term: Term, place: Place = "value") -> None:
        """Write a term."""
        self.out.at(self.row(term.loc))
        match term:
            case Scalar():
                text = self._scalar(term)
                self.out.write(f"({text})" if term is self.guarded else text)
                if text.startswith("`"):
                    self.out.at(self.row(term.loc) + text.count("\n"))
            case Var():
                self.out.write(term.name)
            case Ref():
                self._ref(term)
            case Call():
                if operator_of(term):
                    self._infix(term, place)
                else:
                    self._call(term)
            case Array():
                self._brackets("[", term.items, "]", term.loc, "element")
            case Set(items=()):
                self.out.write("set()")
            case Set():
                self._brackets("{", term.items, "}", term.loc, "element")
            case Object():
                self._brackets("{", term.pairs, "}", term.loc, "element")
            case ArrayCompr():
                self._comprehension("[", term.term, term.body, "]", term.loc)
            case SetCompr():
                self._comprehension("{", term.term, term.body, "}", term.loc)
            case ObjectCompr():
                self._object_comprehension(term)
            case Template():
                self._template(term)

    def _scalar(self, term: Scalar) -> str:
        value = term.value
        if value is None or isinstance(value, bool):
            return json.dumps(value)
        written = self.layout.literal(term.loc) if self.layout else None
        if written is not None:
            return written
        if isinstance(value, str):
            return f"`{value}`" if _RAW.match(value) else quoted(value)
        return value.text if isinstance(value, LiteralFloat) else str(value)

    def _ref(self, ref: Ref) -> None:
        if operator_of(ref.head):
            self.term(ref.head, "operand")
        else:
            self.term(ref.head)
        for operand in ref.operands:
            if isinstance(operand, Scalar) and isinstance(operand.value, str):
                self.out.at(self.row(operand.loc))
                self.out.write(self._step(operand, operand.value))
            else:
                self.out.write("[")
                self.term(operand)
                self.out.write("]")

    def _step(self, operand: Scalar, name: str) -> str:
        """``.name``, or ``["name"]`` for what is no name, and for keywords that had brackets."""
        if _NAME.match(name):
            kept = self.layout is not None and name in self.reserved
            index = self.layout.index(operand.loc) if self.layout and kept else None
            if self.layout is None or index is None or self.layout.kinds[index] != "string":
                return f".{name}"
        return f"[{quoted(name)}]"

    # -- operators and calls -----------------------------------------------------------

    def with_united_start(self, term: Term) -> None:
        """Write a term of which ``begins_with_union`` holds, with the union in parentheses."""
        if isinstance(term, Call) and operator_of(term) != "|":
            self._infix(term, "alone", united=True)
        else:
            self.term(term, "operand")

    def _infix(self, call: Call, place: Place, *, united: bool = False) -> None:
        operator = operator_of(call)
        if operator in (":=", "=") and place != "alone":
            # No text means this; a call of the function does.
            self._call(call)
            return
        keyed = len(call.args) == 3
        parens = (
            place == "operand"
            or (keyed and place != "alone")
            or (operator == "in" and place == "domain")
            or (operator == "|" and place == "element")
        )
        self.out.write("(" if parens else "")
        for i, arg in enumerate(call.args):
            if i:
                last = i == len(call.args) - 1
                self.out.write(f" {operator} " if last else ", ")
            bare = place == "alone" and _stays_bare(call, i) and not (united and i == 0)
            self.term(arg, "value" if bare else "operand")
        self.out.write(")" if parens else "")

    def _call(self, call: Call) -> None:
        self.term(call.operator)
        self._brackets("(", call.args, ")", None, "argument")

    def _brackets(
        self, opener: str, items: Sequence[Item], closer: str, loc: Location | None, place: Place
    ) -> None:
        """Write items in brackets, broken into lines where the source breaks them.

        ``loc`` is where the opening bracket is; None for calls, whose first argument
        never begins a line of its own.
        """
        rows = [self.row(_first(item).loc) for item in items]
        breaks = {i for i in range(1, len(rows)) if rows[i] > rows[i - 1]}
        if self.layout is None:
            breaks = set(range(1, len(items)))
            broken = self.too_long(lambda: self._on_one_line(opener, items, closer, place))
        else:
            apart = loc is not None and bool(rows) and rows[0] > loc.row
            broken = apart or bool(breaks)
        if not items or not broken:
            self._on_one_line(opener, items, closer, place)
            self.out.at(self._closing_row(loc, items))
            return
        out = self.out
        out.write(opener)
        out.newline()
        out.level += 1
        for i, item in enumerate(items):
            if i:
                out.write("," if i in breaks else ", ")
            if i in breaks:
                out.newline()
            self._item(item, place)
        out.write(",")
        out.newline()
        out.at(self._closing_row(loc, items))
        out.level -= 1
        out.write(closer)

    def _on_one_line(self, opener: str, items: Sequence[Item], closer: str, place: Place) -> None:
        self.out.write(opener)
        for i, item in enumerate(items):
            self.out.write(", " if i else "")
            self._item(item, place)
        self.out.write(closer)

    def _item(self, item: Item, place: Place) -> None:
        if isinstance(item, tuple):
            self.term(item[0], place)
            self.out.write(": ")
            self.term(item[1], place)
        else:
            self.term(item, place)

    def _closing_row(self, loc: Location | None, items: Sequence[Item]) -> int:
        if self.layout is None:
            return 0
        if loc is not None:
            return self.layout.closing_row(loc)
        before = self.layout.before(_first(items[0]).loc) if items else None
        return 0 if before is None else self.layout.closed_in(before)

    # -- comprehensions ----------------------------------------------------------------

    def _comprehension(
        self, opener: str, term: Term, body: Body, closer: str, loc: Location
    ) -> None:
        self.out.write(opener)
        if self.row(term.loc) > self.row(loc):
            self.out.newline()
        self.term(term, "operand")
        self.out.write(" |")
        self.block(body, self.row(term.loc), self._closing_row(loc, ()))
        self.out.write(closer)

    def _object_comprehension(self, term: ObjectCompr) -> None:
        self.out.write("{")
        self.term(term.key, "element")
        self.out.write(": ")
        self.term(term.value, "operand")
        self.out.write(" |")
        self.block(term.body, self.row(term.loc), self._closing_row(term.loc, ()))
        self.out.write("}")

    def block(self, body: Body, row: int, closing_row: int) -> bool:
        """Write the body of a comprehension or of ``every`` that began in ``row``.

        Whether it was written on lines of its own.
        """
        rows = [row, *(self.row(expr.loc) for expr in body)]
        if self.layout is None:
            broken = self.too_long(lambda: self._in_line(body))
        else:
            broken = any(rows[i] > rows[i - 1] for i in range(1, len(rows)))
        if not broken:
            self._in_line(body)
            self.out.at(closing_row)
            return False
        self.out.newline()
        self.out.level += 1
        self.lines(body)
        self.out.at(closing_row)
        self.out.level -= 1
        return True

    def _in_line(self, body: Body) -> None:
        for i, expr in enumerate(body):
            self.out.write("; " if i else " ")
            self.expr(expr)

    # -- templates ---------------------------------------------------------------------

    def _template(self, term: Template) -> None:
        raw = term.raw and self._fits_raw(term)
        quote = "`" if raw else '"'
        self.out.write(f"${quote}")
        for part in term.parts:
            if isinstance(part, str):
                text = part if raw else quoted(part)[1:-1]
                self.out.write(text.replace("{", "\\{"))
                continue
            self.out.write("{")
            self.out.level += 1
            if isinstance(part, Expr):
                self.expr(part)
            else:
                self.term(part, "alone")
            self.out.level -= 1
            self.out.write("}")
        self.out.write(quote)
        self.out.at(self._closing_row(term.loc, ()))

    @staticmethod
    def _fits_raw(term: Template) -> bool:
        """Whether a template can be written raw: its text has no backtick, and no
        backslash right before an expression."""
        texts = [part for part in term.parts if isinstance(part, str)]
        followed = [part for part in term.parts[:-1] if isinstance(part, str)]
        return not any("`" in text for text in texts) and not any(
            text.endswith("\\") for text in followed
        )


def _first(item: Item) -> Term:
    return item[0] if isinstance(item, tuple) else item


def is_name(text: str) -> bool:
    """Whether ``.text`` can be written for ``["text"]``."""
    return _NAME.match(text) is not None


def quoted(text: str) -> str:
    """A string literal."""
    return json.dumps(text, ensure_ascii=False).translate(_ESCAPED)
