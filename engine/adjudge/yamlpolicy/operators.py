"""The operators of conditions: a place and an operand in, the Rego body that tests it out.

Every body here is the positive form: it holds only for a value that is there and of a type
the operator is for.  What is missing satisfies none of them, except that a list or text
that is missing has no elements (``count``, ``length``).  Negative operators are the exact
opposite, made by :mod:`adjudge.yamlpolicy.conditions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import re2

from adjudge.rego.syntax import ArrayCompr, Body, Expr, Scalar, SomeIn, Term, Var
from adjudge.source import Location
from adjudge.yamlpolicy.helpers import Helpers
from adjudge.yamlpolicy.moments import SEMVER_HINT, TIME_HINT, moment, version_range
from adjudge.yamlpolicy.paths import Paths, Place, Variable
from adjudge.yamlpolicy.problems import Problems, choices, close_match, shown
from adjudge.yamlpolicy.shapes import Shape, type_name, type_words
from adjudge.yamlpolicy.terms import call, constant, expr, infix, member, one, set_of

NEGATIVE: Final = {
    "not_equals": "equals",
    "not_in": "in",
    "not_contains": "contains",
    "not_matches": "matches",
}
"""Operators that are the opposite of another."""

OPPOSITE_IS: Final = {
    "missing": "present",
    "present": "missing",
    "empty": "not_empty",
    "not_empty": "empty",
}

SILENT_WHEN_MISSING: Final = frozenset({"gt", "gte", "lt", "lte", "before", "after", "semver"})
"""Operators an author may expect to catch a value that is missing; they do not."""

_SYMBOLS: Final = {
    "equals": "==",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "before": "<",
    "after": ">",
}
_GUARDS: Final = {"string": "is_string", "number": "is_number"}


@dataclass(frozen=True)
class Operand:
    """What a value is compared with: a literal, or the value at another place."""

    literal: Any
    place: Place | None
    pointer: str
    loc: Location

    @property
    def term(self) -> Term:
        return self.place.term if self.place else constant(self.literal, self.loc)


@dataclass(frozen=True)
class Test:
    """One ``path`` condition: ``place`` and an operator whose value stands at ``pointer``."""

    place: Place
    operator: str
    value: Any
    pointer: str
    variables: Mapping[str, Variable]

    @property
    def loc(self) -> Location:
        return self.place.loc


class Operators:
    """Lowers the operators of one policy."""

    def __init__(self, problems: Problems, paths: Paths, helpers: Helpers) -> None:
        self.problems = problems
        self.paths = paths
        self.helpers = helpers
        self._lowerings: dict[str, Callable[[Test], Body | None]] = {
            "equals": self._equals,
            "in": self._in,
            "contains": self._contains,
            "matches": self._matches,
            "starts_with": self._affix,
            "ends_with": self._affix,
            "gt": self._ordered,
            "gte": self._ordered,
            "lt": self._ordered,
            "lte": self._ordered,
            "before": self._moment,
            "after": self._moment,
            "semver": self._semver,
            "count": self._count,
            "length": self._length,
        }

    def lower(self, test: Test) -> Body | None:
        """The body for a positive operator other than ``is``; None after reporting an error."""
        return self._lowerings[test.operator](test)

    # -- operands and types ----------------------------------------------------------------

    def operand(
        self, value: Any, pointer: str, variables: Mapping[str, Variable]
    ) -> Operand | None:
        """A literal or ``{path: …}`` or ``{data: …}``; None after reporting an error."""
        loc = self.problems.location(pointer)
        if not isinstance(value, dict):
            return Operand(value, None, pointer, loc)
        ((key, text),) = value.items()
        path = text if key == "path" else f"data.{text}"
        place = self.paths.resolve(path, f"{pointer}/{key}", variables)
        return None if place is None else Operand(None, place, pointer, loc)

    def _operand(self, test: Test) -> Operand | None:
        return self.operand(test.value, test.pointer, test.variables)

    def _takes(self, test: Test, types: set[str], what: str) -> bool:
        """Whether the value can have one of ``types``; reported if not."""
        shape = test.place.shape
        if shape.values & types:
            return True
        self.problems.add(
            "operand",
            f"{test.operator} needs {what}, and {test.place.text} is {shape.describe()}",
            test.pointer,
            _inside(shape),
        )
        return False

    def _comparable(self, test: Test, operand: Operand, shape: Shape) -> bool:
        """Whether ``operand`` can equal a value of ``shape``; reported if not."""
        if operand.place is not None:
            if operand.place.shape.values & shape.values:
                return True
            what = f"{operand.place.text} ({operand.place.shape.describe()})"
            self._never(test, operand, what, shape, None)
            return False
        return self.literal_fits(test, operand.literal, operand, shape)

    def literal_fits(self, test: Test, value: Any, where: Operand, shape: Shape) -> bool:
        """Whether a literal is among the values of ``shape``; reported if not."""
        if type_name(value) not in shape.values:
            self._never(test, where, f"{shown(value)} ({type_words(value)})", shape, None)
            return False
        allowed = shape.choices()
        if allowed is None or value in allowed:
            return True
        near = close_match(value, map(str, allowed)) if isinstance(value, str) else None
        hint = f"did you mean {near}?" if near else f"one of {', '.join(map(shown, allowed))}"
        self._never(test, where, shown(value), shape, hint)
        return False

    def _never(self, test: Test, where: Operand, what: str, shape: Shape, hint: str | None) -> None:
        subject = "an element of " if test.operator == "contains" else ""
        self.problems.add(
            "operand",
            f"{subject}{test.place.text} is {shape.describe()} and never {what}",
            where.pointer,
            hint or _inside(shape),
        )

    def _guards(self, kind: str, *subjects: Place | Operand) -> Body:
        """``is_string(x)`` for what is not known to be of that type."""
        out: list[Expr] = []
        for subject in subjects:
            place = subject if isinstance(subject, Place) else subject.place
            if place is not None and not place.shape.only(kind):
                out.append(expr(call(_GUARDS[kind], place.term, loc=place.loc), place.loc))
        return tuple(out)

    def _text_operand(self, test: Test) -> Operand | None:
        """The operand of an operator on texts, when both sides can be texts."""
        operand = self._operand(test)
        if operand is None or not self._takes(test, {"string"}, "a text"):
            return None
        if operand.place and "string" not in operand.place.shape.values:
            self._wrong_operand(test, operand.place, "a text")
            return None
        return operand

    def _wrong_operand(self, test: Test, place: Place, what: str) -> None:
        self.problems.add(
            "operand",
            f"{test.operator} compares with {what}, and {place.text} is {place.shape.describe()}",
            test.pointer,
        )

    # -- one method for each operator ------------------------------------------------------

    def _equals(self, test: Test) -> Body | None:
        operand = self._operand(test)
        if operand is None or not self._comparable(test, operand, test.place.shape):
            return None
        place, loc = test.place, test.loc
        equal = one(infix("==", place.term, operand.term, loc), loc)
        if operand.place and place.shape.nullable and operand.place.shape.nullable:
            return (expr(infix("!=", place.term, Scalar(None, loc), loc), loc), *equal)
        return equal

    def _in(self, test: Test) -> Body | None:
        operand = self._operand(test)
        if operand is None:
            return None
        if operand.place is not None:
            if not operand.place.shape.values & {"array", "object"}:
                self._wrong_operand(test, operand.place, "the elements of a list")
                return None
            return one(member(test.place.term, operand.term, test.loc), test.loc)
        fits = [
            self.literal_fits(test, value, self._element(operand, i), test.place.shape)
            for i, value in enumerate(operand.literal)
        ]
        if not all(fits):
            return None
        return one(
            member(test.place.term, set_of(operand.literal, operand.loc), test.loc), test.loc
        )

    def _element(self, operand: Operand, index: int) -> Operand:
        pointer = f"{operand.pointer}/{index}"
        return Operand(None, None, pointer, operand.loc)

    def _contains(self, test: Test) -> Body | None:
        operand = self._operand(test)
        if operand is None or not self._takes(test, {"string", "array"}, "a text or a list"):
            return None
        place, loc = test.place, test.loc
        texts, lists = "string" in place.shape.values, "array" in place.shape.values
        if texts and lists:
            return one(call("includes", place.term, operand.term, loc=loc), loc)
        if lists:
            items = place.shape.items()
            if items is not None and not self._comparable(test, operand, items):
                return None
            return one(member(operand.term, place.term, loc), loc)
        if operand.place is None and not isinstance(operand.literal, str):
            self._never(test, operand, shown(operand.literal), place.shape, "a text contains texts")
            return None
        found = expr(call("contains", place.term, operand.term, loc=loc), loc)
        return (*self._guards("string", place, operand), found)

    def _matches(self, test: Test) -> Body | None:
        options = re2.Options()
        options.log_errors = False
        try:
            re2.compile(test.value, options)
        except re2.error as error:
            reason = error.args[0] if error.args else error
            reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
            self.problems.add(
                "regex",
                f"{shown(test.value)} is not a regular expression: {reason}",
                test.pointer,
                "the syntax is RE2: no look-around and no back-references",
            )
            return None
        if not self._takes(test, {"string"}, "a text"):
            return None
        place, loc = test.place, test.loc
        pattern = Scalar(test.value, self.problems.location(test.pointer))
        found = expr(call("regex.match", pattern, place.term, loc=loc), loc)
        return (*self._guards("string", place), found)

    def _affix(self, test: Test) -> Body | None:
        operand = self._text_operand(test)
        if operand is None:
            return None
        function = "startswith" if test.operator == "starts_with" else "endswith"
        found = call(function, test.place.term, operand.term, loc=test.loc)
        return (*self._guards("string", test.place, operand), expr(found, test.loc))

    def _ordered(self, test: Test) -> Body | None:
        operand = self._operand(test)
        if operand is None or not self._takes(test, {"number"}, "a number"):
            return None
        if operand.place and "number" not in operand.place.shape.values:
            self._wrong_operand(test, operand.place, "a number")
            return None
        compared = infix(_SYMBOLS[test.operator], test.place.term, operand.term, test.loc)
        return (*self._guards("number", test.place, operand), expr(compared, test.loc))

    def _moment(self, test: Test) -> Body | None:
        operand = self._text_operand(test)
        if operand is None:
            return None
        loc = test.loc
        if operand.place is not None:
            limit: Term | None = call("timestamp", operand.term, loc=loc)
        else:
            limit = moment(operand.literal, operand.loc)
        if limit is None:
            what = f"{shown(operand.literal)} is not a time"
            self.problems.add("time", what, test.pointer, TIME_HINT)
            return None
        value = call("timestamp", test.place.term, loc=loc)
        return one(infix(_SYMBOLS[test.operator], value, limit, loc), loc)

    def _semver(self, test: Test) -> Body | None:
        bounds = version_range(test.value)
        if bounds is None:
            what = f"{shown(test.value)} is not a version range"
            self.problems.add("semver", what, test.pointer, SEMVER_HINT)
            return None
        if not self._takes(test, {"string"}, "a text"):
            return None
        term, loc = test.place.term, test.loc
        operand_loc = self.problems.location(test.pointer)
        body = [expr(call("semver.is_valid", term, loc=loc), loc)]
        for bound in bounds:
            version = Scalar(bound.version, operand_loc)
            order = call("semver.compare", term, version, loc=loc)
            body.append(expr(infix(bound.symbol, order, Scalar(0, loc), loc), loc))
        return tuple(body)

    def _count(self, test: Test) -> Body | None:
        if not self._takes(test, {"array", "object"}, "a list or an object"):
            return None
        place, loc = test.place, test.loc
        counted = place.term
        if not (place.certain and place.shape.only("array", "object")):
            # Nothing to go over counts as nothing, whatever stands there.
            over = SomeIn(None, Var("_", loc), place.term, loc)
            counted = ArrayCompr(Scalar(1, loc), one(over, loc), loc)
        return self._bounds(test, call("count", counted, loc=loc))

    def _length(self, test: Test) -> Body | None:
        if not self._takes(test, {"string"}, "a text"):
            return None
        place, loc = test.place, test.loc
        length: Term = call("count", place.term, loc=loc)
        if not (place.certain and place.shape.only("string")):
            guard = one(call("is_string", place.term, loc=loc), loc)
            zero = Scalar(0, loc)
            label = f"{place.label}_length"
            length = self.helpers.value(label, length, guard, zero, test.variables)
        return self._bounds(test, length)

    def _bounds(self, test: Test, number: Term) -> Body | None:
        """``number`` compared with a whole number, or with each of several bounds."""
        bounds = test.value if isinstance(test.value, dict) else {"equals": test.value}
        body: list[Expr] = []
        for name, value in bounds.items():
            where = f"{test.pointer}/{name}" if bounds is test.value else test.pointer
            operand = self.operand(value, where, test.variables)
            if operand is None:
                return None
            if operand.place and "number" not in operand.place.shape.values:
                self._wrong_operand(test, operand.place, "a number")
                return None
            body += self._guards("number", operand)
            body.append(expr(infix(_SYMBOLS[name], number, operand.term, test.loc), test.loc))
        return tuple(body)


def _inside(shape: Shape) -> str | None:
    """What to do about a value that has to be looked into."""
    if "array" in shape.types:
        return "test each element with for_each, one element with contains, or their count"
    if shape.values == {"object"} and shape.names():
        return f"test one of its fields: {choices(shape.names())}"
    return None
