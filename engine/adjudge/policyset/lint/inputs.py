"""Compiled rules and the document schemas in; paths that cannot be, values that cannot be,
and deny rules that a missing field silences, out.

Only rules that say what they are for (``applies_to`` or ``id`` in their METADATA) are held
against a schema: policies for other inputs than ours say neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from adjudge.policyset.inputs import input_schemas
from adjudge.policyset.lint.model import Finding, Subject, is_yaml
from adjudge.rego.analysis.contradictions import shown
from adjudge.rego.analysis.origins import Origins, Steps, operator_of, parts
from adjudge.rego.passes.model import Clause
from adjudge.rego.syntax import (
    Array,
    Call,
    Expr,
    Not,
    Ref,
    Scalar,
    Set,
    Term,
    Var,
    walk,
)
from adjudge.yamlpolicy.problems import choices, suggestion
from adjudge.yamlpolicy.scope import RELEASE, Scope, group_of, scope_for
from adjudge.yamlpolicy.shapes import Shape, type_name

_EQUAL: Final = frozenset({"equal", "eq"})
_ORDER: Final = {"neq": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_FEW: Final = frozenset({"equal", "eq", "lt", "lte"})
"""Comparisons that ``count(x)`` fails for a missing ``x`` though nothing is there."""


def check(subject: Subject) -> Iterator[Finding]:
    """Findings ``unknown_input_path``, ``impossible_value`` and ``fails_open``."""
    by_file = _scopes(subject)
    handled = _handled(subject)
    for group, clause in subject.clauses():
        file = clause.loc.file or clause.rule.loc.file
        spec = subject.entries.get(clause.loc)
        scopes = by_file.get(file, ())
        if scopes and spec is not None:
            scopes = _known(spec.applies_to)
        reader = _Reader(subject, clause, scopes)
        yaml = is_yaml(subject.module_of(clause))
        if scopes and not yaml:
            yield from reader.unknown_paths()
            yield from reader.impossible_values()
        if spec is not None and spec.kind == "deny" and not yaml:
            # A YAML policy is told by its own compiler.
            yield from reader.silenced(handled.get(group.path[:-1], []))


def _scopes(subject: Subject) -> dict[str, tuple[Scope, ...]]:
    """What the rules of each file see, as far as they say what they apply to."""
    kinds: dict[tuple[str, ...], dict[str, None]] = {}
    for spec in subject.specs:
        if spec.has_id or spec.applies_to != ("release",):
            package = subject.by_file[spec.location.file].package
            kinds.setdefault(package, {}).update(dict.fromkeys(spec.applies_to))
    out = {}
    for module in subject.modules:
        out[module.file] = _known(kinds.get(module.package, ()))
    return out


def _known(kinds: Iterable[str]) -> tuple[Scope, ...]:
    found = [scope_for(kind, input_schemas()) for kind in kinds]
    return tuple(scope for scope in found if scope is not None)


# -- what a package does about missing fields ----------------------------------------------------


def _handled(subject: Subject) -> dict[tuple[object, ...], list[Steps]]:
    """The places that the rules of each package notice the absence of."""
    out: dict[tuple[object, ...], list[Steps]] = {}
    for group, clause in subject.clauses():
        package = subject.module_of(clause).package
        known = out.setdefault(tuple(group.path[: len(package)]), [])
        origins = subject.origins(clause)
        for node in walk(parts(clause)):
            if isinstance(node, Expr) and node.negated:
                known += _mentioned(node.term, origins)
            elif isinstance(node, Not):
                known += _mentioned(node.condition, origins)
            elif isinstance(node, Call) and operator_of(node) == "object.get":
                known += _got(node, origins)
    return out


def _mentioned(node: object, origins: Origins) -> list[Steps]:
    refs = [n for n in walk(node) if isinstance(n, Ref | Var)]
    return [steps for ref in refs if (steps := origins.steps(ref))]


def _got(call: Call, origins: Origins) -> list[Steps]:
    """What ``object.get`` has a default for."""
    base = origins.steps(call.args[0])
    if base is None or len(call.args) < 2:
        return []
    key = call.args[1]
    keys = key.items if isinstance(key, Array) else (key,)
    steps: list[str | int | None] = list(base)
    for each in keys:
        constant = origins.scalar(each)
        value = None if constant is None else constant.value
        steps.append(value if type(value) in (str, int) else None)  # type: ignore[arg-type]
    return [tuple(steps)]


# -- one clause ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Walked:
    """A path followed through a shape.

    ``shape`` is what stands there, ``optional`` the beginnings of the path that may be
    missing; ``problem`` tells why there is no such path, at the step ``depth``.
    """

    shape: Shape | None
    optional: tuple[Steps, ...] = ()
    problem: str = ""
    hint: str = ""


class _Reader:
    """What one clause reads of the input."""

    def __init__(self, subject: Subject, clause: Clause, scopes: tuple[Scope, ...]) -> None:
        self.subject = subject
        self.clause = clause
        self.scopes = scopes
        self.origins = subject.origins(clause)
        self._kinds = self._narrowed()

    def unknown_paths(self) -> Iterator[Finding]:
        """References to fields that no kind the rules apply to has."""
        told: set[str] = set()
        for node in walk(parts(self.clause)):
            if not isinstance(node, Ref):
                continue
            steps = self.origins.steps(node)
            walked = [self._walk(scope, steps) for scope in self.scopes] if steps else []
            if not walked or any(w.shape is not None for w in walked):
                continue
            place = node.loc if node.loc.row else self.clause.loc
            if walked[0].problem not in told:
                told.add(walked[0].problem)
                yield self.subject.finding(
                    "unknown_input_path", walked[0].problem, place, walked[0].hint
                )

    def impossible_values(self) -> Iterator[Finding]:
        """Comparisons with constants that the schema rules out."""
        for node in walk(self.clause.body):
            if not isinstance(node, Call) or len(node.args) != 2:
                continue
            if operator_of(node) not in _EQUAL | {"neq", "internal.member_2"}:
                continue
            for term, other in (node.args, node.args[::-1]):
                yield from self._impossible(node, term, other)

    def _impossible(self, call: Call, term: Term, other: Term) -> Iterator[Finding]:
        steps = self.origins.steps(term)
        if not steps or any(w.name == "input" for w in self._replaced()):
            return
        if operator_of(call) == "internal.member_2":
            if term is not call.args[0] or not isinstance(other, Array | Set):
                return
            values = [item for item in other.items if isinstance(item, Scalar)]
        else:
            values = [other] if isinstance(other, Scalar) else []
        for value in values:
            shapes = [self._walk(scope, steps).shape for scope in self.scopes]
            if any(shape is None or _allows(shape, value) for shape in shapes):
                continue
            shape = shapes[0]
            assert shape is not None
            allowed = shape.choices()
            expected = choices(map(str, allowed)) if allowed else shape.describe()
            yield self.subject.finding(
                "impossible_value",
                f"{path_shown(steps)} is never {shown(value)}",
                value.loc if value.loc.row else call.loc,
                suggestion(str(value.value), [str(a) for a in allowed or ()])
                or f"it is {'one of ' if allowed else ''}{expected}",
            )

    def _replaced(self) -> list[Var]:
        return [
            w.target
            for e in walk(self.clause.body)
            if isinstance(e, Expr)
            for w in e.withs
            if isinstance(w.target, Var)
        ]

    def silenced(self, handled: list[Steps]) -> Iterator[Finding]:
        """Comparisons that a missing field makes undefined, and the rule silent with them."""
        told: set[Steps] = set()
        counts, negated = self._prepared()
        for expr in self.clause.body:
            term = expr.term
            if not isinstance(term, Call) or expr.withs:
                continue
            places = [s for arg in term.args if (s := self.origins.steps(arg))]
            # Two documents are compared: that one says nothing may be another rule's matter.
            certain = bool(self.scopes) and len(places) < 2
            for steps, how in self._risks(expr, term, counts, negated):
                missing = self._missing(steps, handled)
                if missing is None or missing in told:
                    continue
                told.add(missing)
                name = path_shown(missing)
                yield self.subject.finding(
                    "fails_open",
                    f"{name} may be missing, and then {how}: the rule finds nothing",
                    expr.loc if expr.loc.row else self.clause.loc,
                    f"add a rule for its absence (not {name}), or read it with object.get and "
                    "a default that is found",
                    None if certain else "notice",
                )

    def _prepared(self) -> tuple[dict[str, Call], set[str]]:
        """Variables that hold ``count(…)``, and those that only a negated expression uses."""
        counts: dict[str, Call] = {}
        negated: set[str] = set()
        for expr in self.clause.body:
            term = expr.term
            if isinstance(term, Call) and operator_of(term) == "count" and len(term.args) == 2:
                if isinstance(term.args[1], Var):
                    counts[term.args[1].name] = term
            if expr.negated:
                negated |= {
                    n.name for n in walk(term) if isinstance(n, Var) and n.name.startswith("$")
                }
        return counts, negated

    def _risks(
        self, expr: Expr, call: Call, counts: dict[str, Call], negated: set[str]
    ) -> Iterator[tuple[Steps, str]]:
        """The places that an expression needs, and what happens without them."""
        name = operator_of(call)
        if expr.negated:
            return
        if name in _ORDER and len(call.args) == 2:
            for arg in call.args:
                steps = self.origins.steps(arg)
                if steps:
                    yield steps, f"{_ORDER[name]} does not hold"
        if name in _FEW | {"assign"} or name in _ORDER:
            for arg in call.args:
                counted = counts.get(arg.name) if isinstance(arg, Var) else None
                if counted is not None and self._few(name, call, arg):
                    steps = self.origins.steps(counted.args[0])
                    if steps:
                        yield steps, "count has no value"
        output = self._output(call)
        if output in negated:
            for arg in call.args:
                steps = self.origins.steps(arg)
                if steps and not isinstance(arg, Var):
                    yield steps, "what stands after not has no value either"

    @staticmethod
    def _few(name: str, call: Call, counted: Term) -> bool:
        """Whether a comparison of a count holds when there is little or nothing."""
        other = call.args[1] if call.args[0] is counted else call.args[0]
        below = name in ("lt", "lte") if call.args[0] is counted else name in ("gt", "gte")
        is_zero = isinstance(other, Scalar) and other.value == 0
        return below or (name in _EQUAL and is_zero)

    @staticmethod
    def _output(call: Call) -> str:
        """The variable that a call taken out of an expression binds."""
        if not call.args:
            return ""
        term = call.args[0] if operator_of(call) == "eq" else call.args[-1]
        return term.name if isinstance(term, Var) and term.name.startswith("$") else ""

    def _missing(self, steps: Steps, handled: list[Steps]) -> Steps | None:
        """The beginning of a path that may be missing without a rule noticing."""
        if self.scopes:
            optional = [o for s in self.scopes for o in self._walk(s, steps).optional]
        else:
            # Nothing is known of the input: the whole place counts.
            optional = [steps]
        for beginning in optional:
            within = _within(beginning)
            if not any(_begins(k, beginning) or _begins(_within(k), within) for k in handled):
                return beginning
        return None

    # -- shapes ------------------------------------------------------------------------------

    def _narrowed(self) -> dict[Steps, str]:
        """Lists of artifacts whose kind the clause asks for: ``artifact.kind == "sbom"``."""
        out: dict[Steps, str] = {}
        for expr in self.clause.body:
            call = expr.term
            if expr.negated or not isinstance(call, Call) or operator_of(call) not in _EQUAL:
                continue
            for term, other in (call.args[:2], call.args[1::-1]):
                steps = self.origins.steps(term)
                if steps and steps[-1] == "kind" and isinstance(other, Scalar):
                    if isinstance(other.value, str):
                        out[steps[:-1]] = other.value
        return out

    def _walk(self, scope: Scope, steps: Steps) -> _Walked:
        for beginning, kind in self._kinds.items():
            if beginning[:1] == ("artifacts",) and steps[: len(beginning)] == beginning:
                group = scope.input.field(group_of(kind))
                if len(beginning) == 2 and group is not None:
                    rest = self._follow(scope, group_of(kind), group, (None, *steps[2:]))
                    optional = tuple(("artifacts", *o[1:]) for o in rest.optional if len(o) > 1)
                    return _Walked(rest.shape, optional, rest.problem, rest.hint)
        return self._follow(scope, "", scope.input, steps)

    def _follow(self, scope: Scope, base: str, shape: Shape, steps: Steps) -> _Walked:
        optional: list[Steps] = []
        walked: list[str | int | None] = [base] if base else []
        for step in steps:
            if isinstance(step, str):
                following = shape.field(step)
                # The lists of artifacts by kind are always there, empty when there are none.
                is_group = scope.applies_to == RELEASE and not walked and step.endswith("s")
                if following is not None and not shape.requires(step) and not is_group:
                    optional.append((*walked, step))
            else:
                following = shape.items()
                if step is not None:
                    optional.append((*walked, step))
            if following is None:
                return self._no_such(scope, shape, tuple(walked), step)
            shape = following
            walked.append(step)
        return _Walked(shape, tuple(optional))

    def _no_such(self, scope: Scope, shape: Shape, walked: Steps, step: object) -> _Walked:
        place = path_shown(walked)
        if step is None or isinstance(step, int):
            return _Walked(None, (), f"{place} has no elements: it is {shape.describe()}", "")
        if "object" not in shape.types:
            return _Walked(None, (), f"{place} has no field {step}: it is {shape.describe()}", "")
        problem = f"{place} has no field {step} in a policy for {scope.applies_to}"
        near = suggestion(str(step), shape.names())
        return _Walked(None, (), problem, near or f"fields: {choices(shape.names())}")


def _allows(shape: Shape, value: Scalar) -> bool:
    plain = value.value if isinstance(value.value, str | bool | None) else 0
    if type_name(plain) not in shape.types:
        return False
    allowed = shape.choices()
    return allowed is None or not isinstance(plain, str) or plain in allowed


def _begins(path: Steps, beginning: Steps) -> bool:
    """Whether ``path`` begins with ``beginning``; any element is like any other."""
    if len(path) < len(beginning):
        return False
    return all(
        a == b or (not isinstance(a, str) and not isinstance(b, str)) or a is None or b is None
        for a, b in zip(path, beginning, strict=False)
    )


def _within(steps: Steps) -> Steps:
    """The path within an artifact, of a path that leads to it through the release."""
    if len(steps) > 2 and not isinstance(steps[1], str) and steps[2] in ("facts", "document"):
        return steps[2:]
    return steps


def path_shown(steps: Steps) -> str:
    """``input.facts.owners[_]``."""
    text = "input"
    for step in steps:
        if step is None:
            text += "[_]"
        elif isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if step.isidentifier() else f'["{step}"]'
    return text
