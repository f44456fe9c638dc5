"""Conditions: the mappings of ``when`` in, Rego bodies and helper rules out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adjudge.rego.syntax import Array, ArrayCompr, Body, Call, Expr, Ref, Scalar, SomeIn, Term, Var
from adjudge.source import Location
from adjudge.yamlpolicy.helpers import KEYWORDS, RESERVED, Helpers
from adjudge.yamlpolicy.inline import read_inline
from adjudge.yamlpolicy.operators import (
    NEGATIVE,
    OPPOSITE_IS,
    SILENT_WHEN_MISSING,
    Operators,
    Test,
)
from adjudge.yamlpolicy.paths import IndexStep, Paths, Place, Pointer, Variable, key_variable
from adjudge.yamlpolicy.problems import Problems
from adjudge.yamlpolicy.shapes import ANY
from adjudge.yamlpolicy.structure import FORMS, operators
from adjudge.yamlpolicy.terms import call, constant, expr, infix, negated, one


@dataclass(frozen=True)
class Frame:
    """Where a condition stands.

    ``binding``: loops here repeat the whole finding, so their variables show in its message.
    ``positive``: not below an odd number of ``not`` and ``none``.
    """

    variables: Mapping[str, Variable]
    binding: bool
    positive: bool = True

    def inner(self, *, flip: bool = False) -> Frame:
        """The frame of a condition that is only tested."""
        return Frame(self.variables, False, self.positive != flip)

    def having(self, *added: Variable) -> Frame:
        """The frame inside a loop."""
        variables = {**self.variables, **{v.name: v for v in added}}
        return dataclasses.replace(self, variables=variables)


@dataclass(frozen=True)
class Lowered:
    """The body of a condition.

    ``bound`` are the variables it gives to the finding; ``element`` points to the element
    of the innermost loop among them, ``first`` to the first path of the condition that is
    in what is judged.
    """

    body: Body
    bound: Mapping[str, Variable] = field(default_factory=dict)
    element: Pointer | None = None
    first: Pointer | None = None


_FAILED = Lowered(())
"""What a condition with an error gives; no module is made from it."""


@dataclass(frozen=True)
class Watch:
    """For the missing-value lint: places whose absence some condition notices, and tests
    that do not notice it."""

    handled: set[tuple[object, ...]] = field(default_factory=set)
    silent: list[Test] = field(default_factory=list)


class Conditions:
    """Lowers the conditions of one policy.

    ``lines`` are those of its text, ``wrong`` the pointers at which its structure is wrong,
    ``names`` every name its loops declare.
    """

    def __init__(
        self,
        lines: list[str],
        problems: Problems,
        paths: Paths,
        helpers: Helpers,
        wrong: set[str],
        names: set[str],
    ) -> None:
        self.lines = lines
        self.problems = problems
        self.paths = paths
        self.helpers = helpers
        self.operators = Operators(problems, paths, helpers)
        self.watch = Watch()
        self._names = names
        self._wrong = wrong
        # A test is wrong when anything inside it is; nothing in one is deeper than this.
        self._touched = {a for w in wrong for a in _ancestors(w, 4)}

    def lower(self, node: Any, pointer: str, frame: Frame) -> Lowered:
        """The body for the condition at ``pointer``; empty after reporting an error."""
        if self.problems.full or self._is_wrong(node, pointer):
            return _FAILED
        form = next(f for f in FORMS if f in node)
        inner = f"{pointer}/{form}"
        if form == "path":
            return self._path(node, pointer, frame, flip=False)
        if form == "all":
            return self._all(node["all"], inner, frame)
        if form == "any":
            return self._any(node["any"], inner, frame)
        if form == "none":
            return self._none(node["none"], inner, frame)
        if form == "not":
            return self._negate(node["not"], inner, frame)
        if form == "for_each":
            return self._for_each(node["for_each"], inner, frame)
        return self._rego(node["rego"], inner, frame)

    def _is_wrong(self, node: Any, pointer: str) -> bool:
        if pointer in self._wrong:
            return True
        if "path" in node:
            return pointer in self._touched
        form = next(f for f in FORMS if f in node)
        parts = [f"{pointer}/{form}"]
        if form == "for_each":
            parts += [f"{pointer}/{form}/{key}" for key in ("path", "as", "index")]
        return any(p in self._wrong for p in parts)

    # -- combinations ----------------------------------------------------------------------

    def _all(self, nodes: list[Any], pointer: str, frame: Frame) -> Lowered:
        parts = []
        declared: set[str] = set()
        for i, node in enumerate(nodes):
            part = self.lower(node, f"{pointer}/{i}", frame)
            names = _declared(part.body)
            for name in sorted(names & declared & self._names):
                self.problems.add(
                    "variable",
                    f"{name} is already the name of an earlier loop beside this one",
                    f"{pointer}/{i}",
                    "give each loop its own name",
                )
            declared |= names
            parts.append(part)
        elements = [p.element for p in parts if p.element is not None]
        return Lowered(
            tuple(e for p in parts for e in p.body),
            {name: v for p in parts for name, v in p.bound.items()},
            elements[-1] if elements else None,
            _first(parts),
        )

    def _any(self, nodes: list[Any], pointer: str, frame: Frame) -> Lowered:
        parts = [self.lower(n, f"{pointer}/{i}", frame.inner()) for i, n in enumerate(nodes)]
        loc = self.problems.location(pointer)
        clauses = [p.body for p in parts]
        term = self.helpers.rule("any_of", clauses, frame.variables, loc)
        return Lowered(one(term, loc), first=_visible(_first(parts), frame))

    def _none(self, nodes: list[Any], pointer: str, frame: Frame) -> Lowered:
        parts = [self._negate(n, f"{pointer}/{i}", frame) for i, n in enumerate(nodes)]
        return Lowered(tuple(e for p in parts for e in p.body), first=_first(parts))

    def _negate(self, node: Any, pointer: str, frame: Frame) -> Lowered:
        """The opposite of the condition at ``pointer``."""
        if self._is_wrong(node, pointer):
            return _FAILED
        inner = frame.inner(flip=True)
        if "path" in node:
            return self._path(node, pointer, inner, flip=True)
        lowered = self.lower(node, pointer, inner)
        if not lowered.body:
            return _FAILED
        form = next(f for f in FORMS if f in node)
        label = {"for_each": "any_element", "rego": "custom"}.get(form, "all_of")
        expression = self._not(lowered.body, label, inner, self.problems.location(pointer))
        return Lowered((expression,), first=_visible(lowered.first, frame))

    def _not(self, body: Body, label: str, frame: Frame, loc: Location) -> Expr:
        """An expression that holds when ``body`` does not."""
        if len(body) == 1 and not body[0].withs:
            only = body[0]
            if only.negated:
                return dataclasses.replace(only, negated=False)
            if _negatable(only.term):
                return negated(only)
        return negated(expr(self.helpers.rule(label, [body], frame.variables, loc), loc))

    # -- single conditions -----------------------------------------------------------------

    def _path(self, node: Any, pointer: str, frame: Frame, *, flip: bool) -> Lowered:
        operator = next(k for k in operators() if k in node)
        place = self.paths.resolve(node["path"], f"{pointer}/path", frame.variables)
        if place is None:
            return _FAILED
        test = Test(place, operator, node[operator], f"{pointer}/{operator}", frame.variables)
        self._watch(test, frame)
        if operator == "is":
            body: Body | None = self._state(test, frame, flip=flip)
        else:
            body = self._compared(test, frame, flip=flip)
        return Lowered(body or (), first=place.pointer if self._judged(place) else None)

    def _judged(self, place: Place) -> bool:
        """Whether a place is in what is judged: the file, or the whole release."""
        if not place.pointer:
            return False
        return not self.paths.scope.artifact or place.pointer[0] in ("facts", "document")

    def _compared(self, test: Test, frame: Frame, *, flip: bool) -> Body | None:
        positive = NEGATIVE.get(test.operator, test.operator)
        body = self.operators.lower(dataclasses.replace(test, operator=positive))
        if body is None or (test.operator in NEGATIVE) == flip:
            return body
        suffix = "size" if positive in ("count", "length") else positive
        return (self._not(body, f"{test.place.label}_{suffix}", frame, test.loc),)

    def _watch(self, test: Test, frame: Frame) -> None:
        place = (test.place.base, *test.place.steps)
        if test.operator in SILENT_WHEN_MISSING:
            if frame.positive and not test.place.certain:
                self.watch.silent.append(test)
                return
        elif test.operator not in ("is", *NEGATIVE):
            return
        self.watch.handled.add(place)

    def _state(self, test: Test, frame: Frame, *, flip: bool) -> Body:
        """``is: missing`` and its relatives."""
        place, loc = test.place, test.loc
        state = OPPOSITE_IS[test.value] if flip else test.value
        null = Scalar(None, loc)
        if place.certain and state in ("missing", "present"):
            always = "always" if test.value == "present" else "never"
            self.problems.add(
                "operand",
                f"{place.text} is always there: is: {test.value} {always} holds",
                test.pointer,
                "it can be empty: use is: empty or is: not_empty",
            )
        if state == "present":
            return one(infix("!=", place.term, null, loc), loc)
        filled = call("has_content", place.term, loc=loc)
        if state == "not_empty":
            return one(filled, loc)
        whole = total(place)
        if whole is None:
            present = infix("!=", place.term, null, loc)
            tested, label = (filled, "filled") if state == "empty" else (present, "present")
            return (self._not(one(tested, loc), f"{place.label}_{label}", frame, loc),)
        if state == "missing":
            return one(infix("==", whole, null, loc), loc)
        return (negated(expr(call("has_content", whole, loc=loc), loc)),)

    def _for_each(self, node: Any, pointer: str, frame: Frame) -> Lowered:
        loc = self.problems.location(pointer)
        place = self.paths.resolve(node["path"], f"{pointer}/path", frame.variables)
        element, key = self._loop_variables(node, pointer, frame, place)
        inner = frame.having(element, *([key] if "index" in node else []))
        nested = Lowered(())
        if "when" in node:
            nested = self.lower(node["when"], f"{pointer}/when", inner)
        if place is None:
            return _FAILED
        wanted = "index" in node or (frame.binding and place.pointer is not None)
        loop = SomeIn(
            Var(key.name, loc) if wanted else None, Var(element.name, loc), place.term, loc
        )
        body = (expr(loop, loc), *nested.body)
        if not frame.binding:
            return Lowered(body, first=place.pointer)
        bound = {v.name: v for v in inner.variables.values()} | dict(nested.bound)
        return Lowered(body, bound, nested.element or element.pointer, nested.first)

    def _loop_variables(
        self, node: Any, pointer: str, frame: Frame, place: Place | None
    ) -> tuple[Variable, Variable]:
        """The variables for the element and for its position or key."""
        for role in ("as", "index"):
            if role in node:
                self._check_name(node[role], f"{pointer}/{role}", frame)
        if node.get("index") == node["as"]:
            self.problems.add("variable", "as and index are the same name", f"{pointer}/index")
        index = node.get("index") or self._fresh_index(node["as"])
        if place is None:
            return Variable(node["as"], ANY, None), Variable(index, ANY, None)
        shape = place.shape.items()
        if shape is None:
            self.problems.add(
                "path_type",
                f"{place.text} is {place.shape.describe()}: for_each needs a list or an object",
                f"{pointer}/path",
            )
        step = IndexStep(index, place.shape.values <= {"array"})
        inside = None if place.pointer is None else (*place.pointer, step)
        return Variable(node["as"], shape or ANY, inside), key_variable(index, place.shape)

    def _check_name(self, name: str, pointer: str, frame: Frame) -> None:
        if name in KEYWORDS:
            problem = f"{name} is a word of Rego"
        elif name in RESERVED:
            problem = f"{name} is used by the Rego a policy becomes"
        elif name in frame.variables:
            problem = f"{name} is already the name of a loop around this one"
        elif name in self.paths.scope.roots:
            problem = f"{name} would hide input.{name}"
        else:
            return
        self.problems.add("variable", problem, pointer, "choose another name")

    def _fresh_index(self, name: str) -> str:
        index, number = f"{name}_index", 2
        while index in self._names or index in RESERVED:
            index, number = f"{name}_index_{number}", number + 1
        return index

    def _rego(self, text: str, pointer: str, frame: Frame) -> Lowered:
        inline = read_inline(text, pointer, self.lines, self.problems, self.paths, frame.variables)
        if inline is None:
            return _FAILED
        if inline.plain:
            return Lowered(inline.body)
        loc = self.problems.location(pointer)
        term = self.helpers.rule("custom", [inline.body], frame.variables, loc)
        return Lowered(one(term, loc))

    def warn_about_missing(self) -> None:
        """Warn about tests that let a missing value pass where no other condition notices."""
        for test in self.watch.silent:
            place = test.place
            if (place.base, *place.steps) in self.watch.handled:
                continue
            self.problems.warn(
                "missing_not_noticed",
                f"{place.text} may be missing, and then {test.operator} does not hold",
                test.pointer,
                f"add {{path: {place.text}, is: missing}} below any, "
                "or write the requirement below not",
            )


def total(place: Place) -> Term | None:
    """The value of a place, null where it is missing; None when Rego has no such term."""
    loc = place.loc
    if not place.steps:
        return place.term
    safe = place.base == "input" or (place.base != "data" and place.base_shape.only("object"))
    if not safe:
        return None
    keys: Any = list(place.steps) if len(place.steps) > 1 else place.steps[0]
    base = Var(place.base, loc)
    return call("object.get", base, constant(keys, loc), Scalar(None, loc), loc=loc)


def _ancestors(pointer: str, levels: int) -> list[str]:
    found = [pointer]
    for _ in range(levels):
        pointer = pointer.rpartition("/")[0]
        found.append(pointer)
    return found


def _declared(body: Body) -> set[str]:
    """The names that loops among the expressions of ``body`` declare."""
    loops = [e.term for e in body if isinstance(e.term, SomeIn)]
    return {v.name for loop in loops for v in (loop.key, loop.value) if isinstance(v, Var)}


def _first(parts: list[Lowered]) -> Pointer | None:
    return next((p.first for p in parts if p.first is not None), None)


def _visible(pointer: Pointer | None, frame: Frame) -> Pointer | None:
    """The part of a pointer that does not need loops inside the frame."""
    if pointer is None:
        return None
    known = {
        step.variable
        for v in frame.variables.values()
        for step in v.pointer or ()
        if isinstance(step, IndexStep)
    }
    for i, step in enumerate(pointer):
        if isinstance(step, IndexStep) and step.variable not in known:
            return pointer[:i]
    return pointer


def _negatable(term: Any) -> bool:
    """Whether ``not`` before ``term`` means what it says.

    OPA evaluates the arguments of calls before the negation, so a call with an argument
    that may be undefined needs a rule around it; equality and references do not.
    """
    if isinstance(term, Var):
        return True
    if isinstance(term, Ref):
        return isinstance(term.head, Var) and all(isinstance(o, Scalar) for o in term.operands)
    if not isinstance(term, Call):
        return False
    if not term.infix:
        return all(isinstance(a, (Var, Scalar)) for a in term.args)
    references = term.operator == Var("equal")
    return all(
        _settled(a) or (references and isinstance(a, Ref) and _negatable(a)) for a in term.args
    )


def _settled(term: Any) -> bool:
    """Whether a term is defined whatever the input."""
    if isinstance(term, Array):
        return all(_settled(i) for i in term.items)
    if isinstance(term, Call):
        counted = term.operator == Var("count") and isinstance(term.args[0], ArrayCompr)
        return counted or term.operator == Ref(Var("object"), (Scalar("get"),))
    return isinstance(term, (Scalar, Var))
