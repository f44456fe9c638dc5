"""Reads paths such as ``facts.components[0].name``: text in, checked references out.

A path starts with a loop variable, ``data``, or a field of the input (``input.`` may be
written before it).  Steps are ``.name``, ``[0]`` and ``["any text"]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, NamedTuple, TypeAlias

from adjudge.rego.syntax import Ref, Scalar, Term, Var
from adjudge.source import Location
from adjudge.yamlpolicy.problems import Problems, choices, close_match, shown
from adjudge.yamlpolicy.scope import RELEASE, Scope
from adjudge.yamlpolicy.shapes import STRING, Shape

MAX_PATH: Final = 400
"""Characters of a path."""

_STEP: Final = re.compile(
    r"\.(?P<name>[A-Za-z_@$][A-Za-z0-9_@$-]*)"
    r"|\[(?P<index>0|[1-9][0-9]{0,5})\]"
    r"""|\[(?:"(?P<double>[^"\\]*)"|'(?P<single>[^'\\]*)')\]"""
)
_HINT: Final = 'write a path such as facts.license, items[0].name or document["any key"]'
_NEAR: Final = 0.8
"""How alike an unknown field of an open object must be to a known one to be taken for a typo."""


class IndexStep(NamedTuple):
    """A step of a pointer that is only known while the policy runs: the key in a loop.

    ``plain`` tells keys that need no escaping (positions in a list).
    """

    variable: str
    plain: bool


Pointer: TypeAlias = tuple["str | int | IndexStep", ...]
"""A JSON pointer into ``input``."""


@dataclass(frozen=True)
class Variable:
    """A loop variable: what it can hold, and where in the input it stands (None: not there)."""

    name: str
    shape: Shape
    pointer: Pointer | None


class Step(NamedTuple):
    """One step of a path; ``quoted`` is set for ``["name"]``.  None is any element or key."""

    value: str | int | None
    quoted: bool = False


@dataclass(frozen=True)
class Place:
    """A path that can exist.

    ``base`` is ``input``, ``data`` or a loop variable and ``steps`` lead from it.
    ``certain`` means that the path exists whatever is judged.
    """

    text: str
    base: str
    steps: tuple[str | int, ...]
    shape: Shape
    certain: bool
    base_shape: Shape
    pointer: Pointer | None
    loc: Location = field(compare=False)

    @property
    def term(self) -> Term:
        """The reference in Rego."""
        head = Var(self.base, self.loc)
        if not self.steps:
            return head
        return Ref(head, tuple(Scalar(s, self.loc) for s in self.steps), self.loc)

    @property
    def label(self) -> str:
        """A name for rules about this path, made from its last names."""
        names = [s for s in self.steps if isinstance(s, str)]
        if self.base == "input" and len(names) > 1:
            names = names[1:]
        label = "_".join(names[-2:] or [self.base])
        label = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")
        return label if label[:1].isalpha() else f"value_{label}".strip("_")


def split_path(text: str) -> list[Step] | None:
    """The steps of a path, the root first; None when the text is not a path."""
    if len(text) > MAX_PATH:
        return None
    steps: list[Step] = []
    at, whole = 0, f".{text}"
    while at < len(whole):
        match = _STEP.match(whole, at)
        if match is None:
            return None
        at = match.end()
        kind = match.lastgroup
        value = match[kind] if kind else ""
        quoted = kind in ("double", "single")
        steps.append(Step(int(value) if kind == "index" else value, quoted))
    return steps if isinstance(steps[0].value, str) and not steps[0].quoted else None


@dataclass(frozen=True)
class Paths:
    """Resolves the paths of one policy, and remembers which data it needs."""

    scope: Scope
    problems: Problems
    data: dict[tuple[str | int, ...], Location] = field(default_factory=dict)

    def resolve(
        self, text: str, where: str | Location, variables: Mapping[str, Variable]
    ) -> Place | None:
        """The place a path names; None when there is none, which is then a reported error."""
        loc = where if isinstance(where, Location) else self.problems.location(where)
        steps = split_path(text)
        if steps is None:
            self.problems.add("path_syntax", f"{shown(text)} is not a path", loc, _HINT)
            return None
        base, shape, rest, pointer = self._base(steps, variables)
        if shape is None:
            self._unknown_root(str(steps[0].value), loc, variables)
            return None
        if not rest and base in ("input", "data"):
            self.problems.add("path_syntax", f"{base} alone is not a path", loc, _HINT)
            return None
        return self._walk(_Start(text, base, shape, pointer, loc), rest)

    def check(self, base: str, steps: list[Step], loc: Location) -> None:
        """Report a path below ``input`` that cannot exist; remember one below ``data``."""
        shape = self.scope.data if base == "data" else self.scope.input
        self._walk(_Start(base, base, shape, (), loc), steps)

    def _base(
        self, steps: list[Step], variables: Mapping[str, Variable]
    ) -> tuple[str, Shape | None, list[Step], Pointer | None]:
        root = str(steps[0].value)
        if root in variables:
            known = variables[root]
            return root, known.shape, steps[1:], known.pointer
        if root == "data":
            return "data", self.scope.data, steps[1:], None
        if root == "input":
            return "input", self.scope.input, steps[1:], ()
        known_root = self.scope.input.field(root) is not None
        return "input", self.scope.input if known_root else None, steps, ()

    def _walk(self, start: _Start, rest: list[Step]) -> Place | None:
        shape, certain = start.shape, start.base != "data"
        walked = "" if start.base == "input" else start.base
        for step in rest:
            following = self._step(shape, step, walked, start.loc)
            if following is None:
                return None
            certain = certain and isinstance(step.value, str) and shape.requires(step.value)
            shape = following
            walked = _extend(walked, step)
        fixed = takewhile(lambda s: s.value is not None, rest)
        steps = tuple(s.value for s in fixed if s.value is not None)
        if start.base == "data" and steps:
            self.data.setdefault(steps, start.loc)
        return Place(
            text=start.text,
            base=start.base,
            steps=steps,
            shape=shape,
            certain=certain and not shape.nullable,
            base_shape=start.shape,
            pointer=None if start.pointer is None else (*start.pointer, *steps),
            loc=start.loc,
        )

    def _step(self, shape: Shape, step: Step, walked: str, loc: Location) -> Shape | None:
        if step.value is None:
            return shape.items()
        if isinstance(step.value, int):
            if "array" in shape.types:
                return shape.items()
            self._no_step(shape, walked, f"has no element [{step.value}]", loc)
            return None
        found = shape.field(step.value)
        if found is None:
            self._no_field(shape, step.value, walked, loc)
            return None
        if not step.quoted and not shape.declares(step.value):
            near = close_match(step.value, shape.names(), _NEAR)
            if near:
                self.problems.add(
                    "unknown_path",
                    f"{walked or 'input'} has no known field {shown(step.value)}",
                    loc,
                    f'did you mean {near}? write ["{step.value}"] if that is its name',
                )
                return None
        return found

    def _no_field(self, shape: Shape, name: str, walked: str, loc: Location) -> None:
        if "object" not in shape.types:
            self._no_step(shape, walked, f"has no field {shown(name)}", loc)
            return
        kind = self.scope.applies_to
        near = close_match(name, shape.names())
        self.problems.add(
            "unknown_path",
            f"{walked or 'input'} has no field {shown(name)} in a policy for {kind}",
            loc,
            f"did you mean {near}?" if near else f"fields: {choices(shape.names())}",
        )

    def _no_step(self, shape: Shape, walked: str, what: str, loc: Location) -> None:
        hint = None
        if "array" in shape.types:
            hint = "go over its elements with for_each, or pick one: [0]"
        self.problems.add("path_type", f"{walked} is {shape.describe()}: it {what}", loc, hint)

    def _unknown_root(self, name: str, loc: Location, variables: Mapping[str, Variable]) -> None:
        message = f"there is no {shown(name)} in a policy for {self.scope.applies_to}"
        self.problems.add("unknown_path", message, loc, self._root_hint(name, variables))

    def _root_hint(self, name: str, variables: Mapping[str, Variable]) -> str:
        for outer in ("facts", "release"):
            inside = self.scope.input.field(outer)
            if inside is not None and inside.declares(name):
                return f"did you mean {outer}.{name}?"
        if name in ("facts", "document") and self.scope.applies_to == RELEASE:
            return (
                "say which artifacts the policy is about with applies_to, "
                "or go over a group such as model_cards with for_each"
            )
        known = [*variables, *self.scope.roots]
        near = close_match(name, known)
        return f"did you mean {near}?" if near else f"a path starts with: {choices(known, 20)}"


class _Start(NamedTuple):
    """Where a walk begins."""

    text: str
    base: str
    shape: Shape
    pointer: Pointer | None
    loc: Location


def _extend(walked: str, step: Step) -> str:
    if step.quoted:
        return f'{walked}["{step.value}"]'
    if isinstance(step.value, str):
        return f"{walked}.{step.value}" if walked else step.value
    return f"{walked}[{'_' if step.value is None else step.value}]"


def key_variable(name: str, domain: Shape) -> Variable:
    """The variable that holds the position or key in a loop over ``domain``."""
    types = {"number" if t == "array" else "string" for t in domain.values & {"array", "object"}}
    return Variable(name, Shape.of({"type": sorted(types)}) if types else STRING, None)


def static_steps(ref: Ref) -> Iterator[Step]:
    """The leading steps of a Rego reference that a path could have; a variable is any element."""
    for operand in ref.operands:
        if isinstance(operand, Var):
            yield Step(None)
        elif isinstance(operand, Scalar) and type(operand.value) in (str, int):
            yield Step(operand.value)  # type: ignore[arg-type]
        else:
            return
