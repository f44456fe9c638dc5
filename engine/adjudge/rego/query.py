"""The text of a query and a Program in, a Query that gives answers out."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Any

from adjudge.rego.codegen import builder
from adjudge.rego.codegen.module import ModuleEmitter
from adjudge.rego.errors import RegoErrors, RegoEvalError
from adjudge.rego.linking import execute, kinds, too_large, unit_of
from adjudge.rego.parser import parse_body
from adjudge.rego.passes import calls, flatten, names, safety, types
from adjudge.rego.passes.model import Compilation
from adjudge.rego.passes.recursion import reached, references
from adjudge.rego.plan import rules
from adjudge.rego.plan.terms import PlanError
from adjudge.rego.runtime.context import Context
from adjudge.rego.runtime.limits import DEFAULT_OPTIONS, Options
from adjudge.rego.runtime.text import from_json, to_json
from adjudge.rego.runtime.values import UNDEFINED, Value
from adjudge.rego.syntax import Body, Import
from adjudge.source import Location

if TYPE_CHECKING:
    from adjudge.rego.program import Program


@dataclass(frozen=True, slots=True)
class ExpressionValue:
    """One expression of a query with its value (JSON) and place."""

    value: Any
    text: str
    location: Location


@dataclass(frozen=True, slots=True)
class Result:
    """One answer of a query."""

    bindings: dict[str, Any]
    expressions: list[ExpressionValue]


Rewrite = Callable[[Compilation, Body], Body]

_Made = tuple[
    tuple[tuple[str, str], ...],
    CodeType,
    tuple[str, ...],
    tuple[tuple[Any, ...], ...],
    tuple[int, ...],
]
"""A unit, the query's variables, the places of its expressions, and the slots of the rules
it refers to."""


def _read(data: bytes) -> _Made | None:
    """A query as it was stored; None when it is something else."""
    try:
        made: _Made = marshal.loads(data)  # noqa: S302 - see linking.read_unit
    except (EOFError, ValueError, TypeError):
        return None
    return made


def raise_errors(comp: Compilation) -> None:
    """Raise the errors found so far, if there are any."""
    if comp.errors:
        raise RegoErrors(comp.errors)


def stopped(why: RecursionError | MemoryError) -> RegoEvalError:
    """What is raised instead of Python's own errors."""
    if isinstance(why, MemoryError):
        return RegoEvalError(
            "eval_limit_error",
            "evaluation needs more memory than there is",
            hint="the policy builds values that are too large",
        )
    return RegoEvalError(
        "eval_limit_error",
        "evaluation nested too deeply",
        hint="the data or the policy is nested deeper than the engine follows",
    )


class Query:
    """A compiled query over a program."""

    def __init__(
        self,
        program: Program,
        text: str,
        package: tuple[str, ...] = (),
        imports: tuple[Import, ...] = (),
        rego_version: int = 1,
        rewrite: Rewrite | None = None,
    ) -> None:
        self.text = text
        self._program = program
        key = f"q{(text, package, imports, rego_version)!r}"
        known = program._units.given.get(key) if rewrite is None else None
        made = _read(known) if known is not None else None
        if made is None:
            try:
                made = self._compile(parse_body(text, "", rego_version), package, imports, rewrite)
            except RecursionError as error:
                raise too_large(error) from None
            if rewrite is None and self._program is program:
                program._units.add(key, marshal.dumps(made))
        builtins, code, self._variables, places, slots = made
        self._places = [Location(*place) for place in places]
        linker = self._program._linker
        linker.need(slots)
        self._function = execute((builtins, code), dict(linker.namespace))["query"]

    @property
    def program(self) -> Program:
        """The program that the query runs on: the one it was prepared from, or one whose
        rules ask for what the query replaces."""
        return self._program

    def _compile(
        self,
        parsed: Body,
        package: tuple[str, ...],
        imports: tuple[Import, ...],
        rewrite: Rewrite | None,
    ) -> _Made:
        comp, resolved = self._resolved(parsed, package, imports)
        body = safety.order_query(comp, flatten.flatten_query(resolved))
        raise_errors(comp)
        types.check_query(comp, body)
        raise_errors(comp)
        if rewrite is not None:
            body = rewrite(comp, body)
        try:
            plan = rules.plan_query(comp, body, frozenset(), resolved)
        except PlanError as e:
            comp.error(e.message, e.loc)
            raise RegoErrors(comp.errors) from None
        outline = self._program._linker.outline
        with builder.LOCK:
            emitter = ModuleEmitter(outline.slots, kinds())
            emitter.query(plan)
            generated = emitter.finish()
        paths = {path for keys in references(body) for path in reached(comp, keys)}
        slots = tuple(sorted(outline.slots[path] for path in paths))
        places = tuple([tuple(place) for place in plan.expressions])
        return (*unit_of(generated, "<query>"), plan.variables, places, slots)

    def _resolved(
        self, parsed: Body, package: tuple[str, ...], imports: tuple[Import, ...]
    ) -> tuple[Compilation, Body]:
        """The query with its names settled, and the program's rules as it sees them."""
        comp = self._program._comp
        own = Compilation(comp.modules, comp.capabilities, comp.strict)
        own.groups, own.tree, own.sources = comp.groups, comp.tree, {"": self.text}
        own.mocked = set(comp.mocked)
        resolved = names.resolve_query(own, parsed, package, imports)
        raise_errors(own)
        if own.mocked - comp.mocked:
            self._program = self._program._with_mocks(own.mocked)
            comp = self._program._comp
            own.groups, own.tree = comp.groups, comp.tree
        own.graph, own.inferred = comp.graph, comp.inferred
        calls.check_query(own, resolved)
        raise_errors(own)
        return own, resolved

    def eval(
        self,
        input: Any = UNDEFINED,
        *,
        data: Mapping[str, Any] | None = None,
        options: Options = DEFAULT_OPTIONS,
    ) -> list[Result]:
        """All answers, like OPA's result set; raises ``RegoEvalError``.

        ``input`` is used as it is: what a JSON parser gives.
        """
        base = None if data is None else from_json(dict(data))
        return self.eval_context(self._program.context(input, options, base))

    def eval_with_prints(
        self, input: Any = UNDEFINED, *, options: Options = DEFAULT_OPTIONS
    ) -> tuple[list[Result], list[str]]:
        """The answers, and the lines that ``print`` wrote."""
        c = self._program.context(input, options, None)
        results = self.eval_context(c)
        return results, c.shared.prints

    def eval_context(self, c: Context) -> list[Result]:
        """The answers in a context made by :meth:`Program.context`."""
        try:
            return self._answers(c)
        except (RecursionError, MemoryError) as error:
            raise stopped(error) from None

    def _answers(self, c: Context) -> list[Result]:
        rows: list[tuple[Value, ...]] = []
        self._function(c, rows)
        count = len(self._variables)
        places = self._places
        texts = _texts(self.text, places)
        results = []
        for row in rows:
            plain = [to_json(v) for v in row]
            bindings = dict(zip(self._variables, plain[:count], strict=True))
            expressions = [
                ExpressionValue(*each) for each in zip(plain[count:], texts, places, strict=True)
            ]
            results.append(Result(bindings, expressions))
        return results


def _texts(text: str, places: Sequence[Location]) -> list[str]:
    """The texts of the expressions that begin at ``places``: each ends where the next begins."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    begins = [starts[place.row - 1] + place.col - 1 for place in places]
    ends = [*sorted(begins), len(text)]
    return [text[at : ends[ends.index(at) + 1]].rstrip().rstrip(";").rstrip() for at in begins]
