"""Entries of ``deny`` and ``warn``: mappings in, Rego rules that make findings out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from adjudge.rego.syntax import (
    Annotations,
    Array,
    Body,
    Head,
    Object,
    Rule,
    Scalar,
    SomeIn,
    Template,
    Term,
    Var,
    walk,
)
from adjudge.source import Location
from adjudge.yamlpolicy.conditions import Conditions, Frame, Lowered, total
from adjudge.yamlpolicy.helpers import APPLICABLE, FINDING
from adjudge.yamlpolicy.paths import IndexStep, Place, Pointer, Variable
from adjudge.yamlpolicy.problems import shown
from adjudge.yamlpolicy.templates import split_template
from adjudge.yamlpolicy.terms import assign, call, expr

_POINTER = re.compile(r"(/([^~/]|~[01])*)+")


class Findings:
    """Lowers the entries of one policy; ``conditional`` when ``applicable`` guards them."""

    def __init__(self, conditions: Conditions, conditional: bool) -> None:
        self.conditions = conditions
        self.problems = conditions.problems
        self._guarded = conditional

    def lower(self, name: str, entry: Mapping[str, Any], pointer: str) -> Rule:
        """The rule that adds the finding of ``entry`` to the set ``name``.

        A severity of its own is an annotation of the rule, as a Rego author would write it.
        """
        loc = self.problems.location(pointer)
        when = self.conditions.lower(entry["when"], f"{pointer}/when", Frame({}, binding=True))
        parts = self._parts(entry, pointer, when)
        pairs = tuple((Scalar(key, loc), term) for key, term in parts.items())
        made = assign(FINDING, Object(pairs, self.problems.location(f"{pointer}/message")), loc)
        guard = (expr(Var(APPLICABLE, loc), loc),) if self._guarded else ()
        body = _without_unused_keys((*guard, *when.body, made))
        head = Head(Var(name, loc), key=Var(FINDING, loc), loc=loc)
        annotations: tuple[Annotations, ...] = ()
        if "severity" in entry:
            fields = {"scope": "rule", "custom": {"severity": entry["severity"]}}
            annotations = (Annotations(fields, "rule", loc, loc.row),)
        return Rule(
            head, body, annotations=annotations, loc=loc, end_row=max(e.loc.row for e in body)
        )

    def _parts(self, entry: Mapping[str, Any], pointer: str, when: Lowered) -> dict[str, Term]:
        """The members of the finding object, in the order they are printed."""
        bound = when.bound
        fields = {"msg": self._text(entry["message"], f"{pointer}/message", bound)}
        place = self._pointer(entry, pointer, when)
        if place is not None:
            fields["pointer"] = place
        if "remediation" in entry:
            at = f"{pointer}/remediation"
            fields["remediation"] = self._text(entry["remediation"], at, bound)
        if "details" in entry:
            fields["details"] = self._detail(entry["details"], f"{pointer}/details", bound, True)
        return fields

    # -- texts -----------------------------------------------------------------------------

    def _text(
        self, text: str, pointer: str, bound: Mapping[str, Variable], *, escape: bool = False
    ) -> Term:
        """A template; ``escape`` makes what is filled in one step of a JSON pointer."""
        loc = self.problems.location(pointer)
        split = split_template(text)
        if split is None:
            self.problems.add(
                "template",
                f"the braces of {shown(text)} do not match",
                loc,
                "{path} shows a value; write {{ and }} for braces",
            )
            return Scalar(text, loc)
        parts: list[str | Term] = []
        for part in split:
            if isinstance(part, str):
                parts.append(part)
                continue
            place = self.conditions.paths.resolve(part.path, loc, bound)
            if place is not None:
                parts.append(self._slot(place, escape=escape))
        return _joined(parts, loc)

    def _slot(self, place: Place, *, escape: bool) -> Term:
        if escape and not place.shape.only("number"):
            return call("pointer_step", place.term, loc=place.loc)
        return place.term

    # -- pointers --------------------------------------------------------------------------

    def _pointer(self, entry: Mapping[str, Any], pointer: str, when: Lowered) -> Term | None:
        if "pointer" in entry:
            return self._written_pointer(entry["pointer"], f"{pointer}/pointer", when.bound)
        found = when.element or when.first
        if found is None:
            return None
        return _pointer_term(found, self.problems.location(pointer))

    def _written_pointer(self, text: str, pointer: str, bound: Mapping[str, Variable]) -> Term:
        fixed = split_template(text)
        literal = "".join("x" if not isinstance(p, str) else p for p in fixed or [text])
        if not _POINTER.fullmatch(literal):
            self.problems.add(
                "pointer",
                f"{shown(text)} is not a JSON pointer",
                pointer,
                "write / before each step, ~1 for / and ~0 for ~ within one",
            )
        else:
            self._check_pointer(fixed or [], pointer, bound)
        return self._text(text, pointer, bound, escape=True)

    def _check_pointer(self, parts: list[Any], pointer: str, bound: Mapping[str, Variable]) -> None:
        """Report the fixed beginning of a pointer when it leads nowhere."""
        begin = parts[0] if parts and isinstance(parts[0], str) else ""
        steps = begin.split("/")[1:]
        if len(parts) > 1:
            steps = steps[:-1]
        shape = self.conditions.paths.scope.input
        for i, step in enumerate(steps):
            name = step.replace("~1", "/").replace("~0", "~")
            under = shape.field(name) or (shape.items() if name.isdigit() else None)
            if under is None:
                where = "/" + "/".join(steps[:i])
                self.problems.add(
                    "pointer",
                    f"{where} has no {shown(name)} in a policy for "
                    f"{self.conditions.paths.scope.applies_to}",
                    pointer,
                    "a pointer leads into the input, such as /facts/license",
                )
                return
            shape = under

    # -- details ---------------------------------------------------------------------------

    def _detail(
        self, value: Any, pointer: str, bound: Mapping[str, Variable], top: bool = False
    ) -> Term:
        loc = self.problems.location(pointer)
        if isinstance(value, str):
            return self._text(value, pointer, bound) if value else Scalar("", loc)
        if isinstance(value, list):
            items = [self._detail(v, f"{pointer}/{i}", bound) for i, v in enumerate(value)]
            return Array(tuple(items), loc)
        if not isinstance(value, dict):
            return Scalar(value, loc)
        if not top and len(value) == 1 and isinstance(next(iter(value.values())), str):
            ((key, path),) = value.items()
            if key in ("path", "data"):
                return self._value(path if key == "path" else f"data.{path}", pointer, bound)
        pairs = [
            (Scalar(k, loc), self._detail(v, f"{pointer}/{k}", bound)) for k, v in value.items()
        ]
        return Object(tuple(pairs), loc)

    def _value(self, path: str, pointer: str, bound: Mapping[str, Variable]) -> Term:
        """The value at a path, null where it is missing: a missing value loses no finding."""
        loc = self.problems.location(pointer)
        place = self.conditions.paths.resolve(path, loc, bound)
        if place is None:
            return Scalar(None, loc)
        if place.certain:
            return place.term
        whole = total(place)
        if whole is not None:
            return whole
        null = Scalar(None, loc)
        return self.conditions.helpers.value(f"{place.label}_value", place.term, (), null, bound)


def _joined(parts: list[str | Term], loc: Location) -> Term:
    """Template parts as one term; a plain string where nothing is filled in."""
    merged: list[str | Term] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    if all(isinstance(p, str) for p in merged):
        return Scalar("".join(str(p) for p in merged), loc)
    return Template(tuple(merged), loc=loc)


def _pointer_term(pointer: Pointer, loc: Location) -> Term:
    """A JSON pointer as a term; keys of loops are filled in."""
    parts: list[str | Term] = []
    for step in pointer:
        parts.append("/")
        if isinstance(step, IndexStep):
            key: Term = Var(step.variable, loc)
            parts.append(key if step.plain else call("pointer_step", key, loc=loc))
        else:
            parts.append(str(step).replace("~", "~0").replace("/", "~1"))
    return _joined(parts, loc)


def _without_unused_keys(body: Body) -> Body:
    """The body with the keys of loops left out that nothing else mentions."""
    mentions = Counter(n.name for n in walk(body) if isinstance(n, Var))
    out = []
    for expression in body:
        loop = expression.term
        if isinstance(loop, SomeIn) and isinstance(loop.key, Var) and mentions[loop.key.name] < 2:
            expression = expr(SomeIn(None, loop.value, loop.domain, loop.loc), expression.loc)
        out.append(expression)
    return tuple(out)
