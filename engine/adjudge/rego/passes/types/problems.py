"""What is wrong with the types of an expression, worded as OPA words it."""

from __future__ import annotations

from typing import Final, NamedTuple

from adjudge.rego.passes.types.model import (
    Array,
    Function,
    Object,
    PropertyKey,
    Recursive,
    Set,
    Type,
    Union,
    key_order,
    unwrapped,
)
from adjudge.rego.passes.types.show import (
    ELISION,
    Named,
    differences,
    short,
    short_named,
    show,
    too_wide,
)
from adjudge.rego.passes.types.text import TermText, choices
from adjudge.rego.passes.types.unify import Unifier
from adjudge.rego.syntax import Term, Var
from adjudge.source import Location

MATCH_HINT: Final = (
    "hint  : both sides are {0} but their types differ, so they can never be equal "
    "(see https://www.openpolicyagent.org/docs/errors/rego-type-error/match-error)"
)
_KINDS: Final = ((Object, "objects"), (Array, "arrays"), (Set, "sets"))


class Problem(NamedTuple):
    """An error; ``unknown``: it may well come from another one that left a type unknown."""

    loc: Location
    message: str
    unknown: bool = False


def _lines(first: str, *rest: str) -> str:
    return "\n\t".join((first, *rest))


def match_problem(loc: Location, left: Type | None, right: Type | None) -> Problem:
    """Two sides that can never be equal."""
    lines = [f"left  : {show(left)}", f"right : {show(right)}"]
    if too_wide(*lines):
        a, b = differences(left, right)
        lines = [f"left  : {a}", f"right : {b}"]
    a_type, b_type = unwrapped(left), unwrapped(right)
    for kind, plural in _KINDS:
        if isinstance(a_type, kind) and isinstance(b_type, kind):
            lines.append(MATCH_HINT.format(plural))
    unknown = left is None or right is None or left.unknown or right.unknown
    return Problem(loc, _lines("match error", *lines), unknown)


def parameters(function: Function) -> list[Named]:
    """The arguments of a function and its result, named where it is a builtin."""
    types = [*function.args]
    if function.result is not None:
        types.append(function.result)
    names = function.names or ("",) * len(types)
    return [Named(n, t) for n, t in zip(names, types, strict=False)]


def argument_problem(
    loc: Location,
    what: str,
    have: list[Type | None],
    want: list[Named],
    variadic: Type | None,
    unifier: Unifier,
) -> Problem:
    """Arguments that a function does not take; ``what``: its name and what is wrong."""
    given = f"have: ({', '.join(map(show, have))})"
    wanted = [named.titled(show(named.type)) for named in want]
    if variadic is not None:
        wanted.append(show(variadic) + ELISION)
    expected = f"want: ({', '.join(wanted)})"
    if too_wide(given, expected):
        shown = [short(t) for t in have]
        wanted = [short_named(named) for named in want]
        for n, (t, named) in enumerate(zip(have, want, strict=False)):
            if not unifier.unifies(t, named.type):
                shown[n], right = differences(t, named.type)
                wanted[n] = named.titled(right)
        if variadic is not None:
            wanted.append(short(variadic) + ELISION)
        given, expected = f"have: ({', '.join(shown)})", f"want: ({', '.join(wanted)})"
    unknown = any(t is None or t.unknown for t in have)
    return Problem(loc, _lines(what, given, expected), unknown)


class RefProblems:
    """Words errors about one reference."""

    def __init__(self, text: TermText, loc: Location, head: Term, operands: tuple[Term, ...]):
        self.text = text
        self.loc = loc
        self.head = head
        self.operands = operands
        self.whole = text.ref(head, operands)

    def _size(self, count: int) -> int:
        """How many bytes the head and the first operands take."""
        return len(self.text.ref(self.head, self.operands[:count]).encode())

    def unsupported(self, position: int, have: Type | None) -> Problem:
        """What stands at ``position`` (0: the head) has no parts, or is a function."""
        first = f"undefined ref: {self.whole}"
        if isinstance(have, Function):
            operands = self.operands
            if operands and isinstance(operands[-1], Var) and operands[-1].name.startswith("$some"):
                operands = operands[:-1]
            named = self.text.ref(self.head, operands)
            first = f"function {named} used as reference, not called"
        marks = "^" * self._size(position)
        return Problem(self.loc, _lines(first, self.whole, marks, f"have: {show(have)}"))

    def invalid(
        self,
        position: int,
        have: Type | None,
        want: Type | None,
        one_of: list[PropertyKey],
    ) -> Problem:
        """The operand at ``position`` (from 1) is none of ``one_of``, not of type ``want``."""
        pad = " " * (self._size(position - 1) + 1)
        operand = self.text.term(self.operands[position - 1])
        given = f"have: {operand}" if have is None else f"have (type): {show(have)}"
        if one_of or want is None:
            wanted = f"want (one of): {choices(one_of)}"
        else:
            wanted = f"want (type): {show(want)}"
        first = f"undefined ref: {self.whole}"
        return Problem(self.loc, _lines(first, self.whole, f"{pad}^", pad + given, pad + wanted))


def known_keys(t: Type | None) -> list[PropertyKey]:
    """The keys that a type names."""
    found: dict[PropertyKey, None] = {}
    stack = [t]
    entered: set[Type] = set()
    while stack:
        one = stack.pop()
        if isinstance(one, Recursive) and one not in entered:
            entered.add(one)
            stack.append(one.target)
        elif isinstance(one, Object):
            found.update(dict.fromkeys(one.index))
        elif isinstance(one, Union):
            stack.extend(one.of)
    return sorted(found, key=key_order)


def is_empty_collection(t: Type | None) -> bool:
    """Whether nothing can be in a collection of the type."""
    t = unwrapped(t)
    match t:
        case Object(static=static, dynamic=dynamic) | Array(static=static, dynamic=dynamic):
            return not static and dynamic is None
        case Set(of=of):
            return of is None
    return False
