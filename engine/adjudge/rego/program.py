"""Rego modules in, a Program that evaluates rules and queries out.

A Program is immutable and may be shared between threads; all state of an evaluation
lives in its context.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from adjudge.rego import abi
from adjudge.rego.ast_json import module_json
from adjudge.rego.capabilities import Capabilities, all_capabilities
from adjudge.rego.errors import RegoErrors
from adjudge.rego.linking import Around, Front, Linker, Units, too_large
from adjudge.rego.outline import Outline, RuleOutline, outline
from adjudge.rego.parser import parse_module
from adjudge.rego.passes import run_passes
from adjudge.rego.passes.model import Compilation, Path
from adjudge.rego.plan import ir, rules
from adjudge.rego.query import Query, Rewrite, raise_errors, stopped
from adjudge.rego.runtime.context import Context, Shared, TracedContext
from adjudge.rego.runtime.documents import RuleNode
from adjudge.rego.runtime.limits import DEFAULT_OPTIONS, Options
from adjudge.rego.runtime.text import from_json, to_json
from adjudge.rego.runtime.values import UNDEFINED, Value
from adjudge.rego.syntax import Import, Module

FORMAT: Final = 1
"""Of what :meth:`Program.dump` gives; another number is not read."""

MAX_QUERIES: Final = 32
"""Queries kept beside the rules, the latest of them."""


def compile_modules(
    modules: Mapping[str, str | Module],
    *,
    data: Mapping[str, Any] | None = None,
    capabilities: Capabilities | None = None,
    rego_version: int = 1,
    strict: bool = False,
    mocked: frozenset[str] = frozenset(),
    rewrite: Callable[[Compilation], None] | None = None,
    schemas: Mapping[str, Any] | None = None,
    keep: bool = False,
    dumped: bytes | None = None,
) -> Program:
    """Compile modules (file name to text, or parsed) against base documents.

    ``schemas`` are JSON schemas by the names that annotations use, that of all input under
    the empty name.  ``rewrite`` may change the rules after they were checked and before
    they are planned.  ``keep`` makes :meth:`Program.dump` possible; ``dumped`` is what it
    gave for a program of the very same arguments: then nothing is compiled that was
    compiled before.  It holds code that will run, so it must come from a trusted place.

    Raises :class:`~adjudge.rego.errors.RegoErrors` with every error found.
    """
    granted = capabilities or all_capabilities()

    def make() -> tuple[Compilation, ir.ProgramPlan]:
        parsed = parse_modules(modules, granted, rego_version)
        comp = Compilation(parsed, granted, strict)
        comp.sources = {m.file: m.source for m in parsed}
        comp.mocked |= mocked
        comp.schemas = schemas
        try:
            run_passes(comp)
            raise_errors(comp)
            if rewrite is not None:
                rewrite(comp)
            plan = rules.plan_program(comp)
        except RecursionError as error:
            raise too_large(error) from None
        raise_errors(comp)
        return comp, plan

    front = Front(make)
    known = _read(dumped) if dumped is not None else None
    if known is None:
        known = outline(front.comp, front.rules), Units()
    known[1].keep = keep
    return Program(front, *known, from_json(dict(data or {})))


def _read(dumped: bytes) -> tuple[Outline, Units] | None:
    """What a program dumped; None when it is something else."""
    try:
        version, plain, units = marshal.loads(dumped)  # noqa: S302 - see linking.read_unit
        if version != FORMAT:
            return None
        return Outline.from_plain(plain), Units(units)
    except (EOFError, ValueError, TypeError):
        return None


def parse_modules(
    modules: Mapping[str, str | Module],
    capabilities: Capabilities | None = None,
    rego_version: int = 1,
) -> list[Module]:
    """The modules, parsed where they are text; raises ``RegoErrors`` with every error found."""
    granted = capabilities or all_capabilities()
    parsed: list[Module] = []
    errors: list[Any] = []
    for name, text in modules.items():
        if isinstance(text, Module):
            parsed.append(text)
            continue
        try:
            module = parse_module(
                text,
                name,
                rego_version,
                builtins=granted.builtins,
                features=granted.features,
                future_keywords=granted.future_keywords,
            )
            parsed.append(module)
        except RegoErrors as e:
            errors.extend(e.errors)
    if errors:
        raise RegoErrors(errors)
    return parsed


class Program:
    """Compiled modules and their base documents."""

    _context = Context

    def __init__(
        self, front: Front, outline: Outline, units: Units, data: dict[Any, Value]
    ) -> None:
        self._front = front
        self._units = units
        self._linker = Linker(front, outline, units)
        self._data = data

    @classmethod
    def of(cls, comp: Compilation, data: dict[Any, Value]) -> Program:
        """The program of rules that were checked before; what cannot be planned is left out."""
        plan = rules.plan_program(comp)
        made = outline(comp, plan.rules)
        return cls(Front(lambda: (comp, plan)), made, Units(), data)

    # -- parts -------------------------------------------------------------------------------

    @property
    def _comp(self) -> Compilation:
        return self._front.comp

    @property
    def _slots(self) -> dict[Path, int]:
        return self._linker.outline.slots

    @property
    def around(self) -> Around | None:
        """What is put around the functions of rules, when tracing; set before anything runs."""
        return self._linker.around

    @around.setter
    def around(self, around: Around) -> None:
        self._linker.around = around

    def link(self) -> None:
        """Emit every rule now, not when it is first needed."""
        self._linker.need(range(len(self._linker.outline.rules)))

    def traced(self) -> Traced:
        """The evidence variant: the same plans, emitted with their reads recorded."""
        return Traced(self)

    def relinked(self, comp: Compilation, plans: Iterable[ir.RulePlan]) -> dict[str, Any]:
        """The functions of this program, those of some rules made anew from other plans."""
        return self._linker.relinked(list(plans))

    # -- storing -----------------------------------------------------------------------------

    @property
    def grown(self) -> bool:
        """Whether something was compiled that :meth:`dump` was not given."""
        return bool(self._units.made) or not self._units.given

    def dump(self) -> bytes:
        """All that was compiled so far, for ``compile_modules(..., dumped=...)``."""
        units = {**self._units.given, **self._units.made}
        queries = [key for key in units if key.startswith("q")]
        for key in queries[:-MAX_QUERIES]:
            del units[key]
        return marshal.dumps((FORMAT, self._linker.outline.plain(), units))

    def made(self) -> dict[str, bytes]:
        """The units compiled so far, where they are kept: for :meth:`add` in another process."""
        return self._units.made

    def add(self, made: Mapping[str, bytes]) -> None:
        """Note units that another process compiled of the same program."""
        if self._units.keep:
            self._units.made.update(made)

    # -- evaluation --------------------------------------------------------------------------

    def context(self, input_: Value, options: Options, data: dict[Any, Value] | None) -> Context:
        """A fresh context."""
        base = self._data if data is None else data
        linker = self._linker
        return self._context(
            linker.tree, len(linker.outline.rules), input_, base, Shared(options, HOST_SERVICES)
        )

    def with_data(self, data: Mapping[str, Any]) -> Program:
        """The same rules over other base documents; nothing is compiled again."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._data = from_json(dict(data))
        return other

    def rule(self, path: str) -> CompiledRule:
        """The rule at ``data.a.b``; raises ``KeyError`` when there is none."""
        slot = self._slots[tuple(path.split(".")[1:])]
        if self._linker.outline.rules[slot].kind == "function":
            raise KeyError(f"{path} is a function")
        return CompiledRule(self, slot)

    def rule_at(self, path: Path) -> Callable[[Context], Value]:
        """The function of the rule at a path below ``data``; it takes a context."""
        function: Callable[[Context], Value] = self._linker.function(
            abi.RULE_PREFIX, self._slots[path]
        )
        return function

    @property
    def rule_paths(self) -> list[str]:
        """The paths of all rules, functions included."""
        return [rule.name for rule in self._linker.outline.rules]

    @property
    def groups(self) -> Sequence[RuleOutline]:
        """The rules, in source order."""
        return self._linker.outline.rules

    @property
    def modules(self) -> Sequence[Module]:
        """The modules the program was compiled from."""
        return self._comp.modules

    def prepare(
        self,
        query: str,
        *,
        package: tuple[str, ...] = (),
        imports: tuple[Import, ...] = (),
        rego_version: int = 1,
        rewrite: Rewrite | None = None,
    ) -> Query:
        """Compile a query; raises ``RegoErrors``.

        It may use the rules of ``package`` (its path below ``data``) and what is imported
        by their names.  ``rewrite`` may change the query after it was checked.
        """
        return Query(self, query, package, imports, rego_version, rewrite)

    def _with_mocks(self, mocked: set[str]) -> Program:
        modules: dict[str, str | Module] = {
            f"{n}:{m.file}": m for n, m in enumerate(self._comp.modules)
        }
        program = compile_modules(
            modules,
            capabilities=self._comp.capabilities,
            strict=self._comp.strict,
            mocked=frozenset(mocked),
        )
        program._data = self._data
        return program


class Traced(Program):
    """The evidence variant of a program, with the clauses of rules as functions."""

    _context = TracedContext

    def __init__(self, program: Program) -> None:
        self._front, self._units, self._data = program._front, program._units, program._data
        self._linker = Linker(program._front, program._linker.outline, program._units, traced=True)

    def entry_function(self, rule: RuleOutline, clause: int) -> Any:
        """The function ``(context, found)`` of one clause; a rule that is no partial set is
        one entry as a whole, its value the one solution."""
        slot = self._slots[rule.path]
        linker = self._linker
        is_set = rule.kind == "set"

        def run(c: Context, found: list[tuple[Value, Any]]) -> None:
            if is_set:
                linker.entry(slot, clause)(c, found)
                return
            value = linker.function(abi.RULE_PREFIX, slot)(c)
            if clause == 0 and value is not UNDEFINED:
                found.append((value, list(c.reads)))

        return run


def _parsed_json(name: str, text: str) -> Value:
    return from_json(module_json(parse_module(text, name)))


HOST_SERVICES = {"parse_module": _parsed_json}
"""What every evaluation grants to builtins."""


class CompiledRule:
    """One rule, ready to be evaluated many times."""

    __slots__ = ("_context", "_data", "_function", "_rules", "_slots")

    def __init__(self, program: Program, slot: int) -> None:
        self._context = program._context
        self._rules: RuleNode = program._linker.tree
        self._slots = len(program._slots)
        self._data = program._data
        # In a new context no rule has a value yet, so there is none to look for.
        self._function = program._linker.function(abi.EVAL_PREFIX, slot)

    def eval(
        self,
        input: Any = UNDEFINED,
        *,
        data: Mapping[str, Any] | None = None,
        options: Options = DEFAULT_OPTIONS,
    ) -> Any:
        """The rule's value as JSON (sets are sorted lists), or ``UNDEFINED``.

        ``input`` is used as it is: what a JSON parser gives (``from_json`` makes
        such values of others).
        """
        base = self._data if data is None else from_json(dict(data))
        shared = Shared(options, HOST_SERVICES)
        c = self._context(self._rules, self._slots, input, base, shared)
        try:
            value = self._function(c)
            if value is True or value is False or value is UNDEFINED:
                return value
            return to_json(value)
        except (RecursionError, MemoryError) as error:
            raise stopped(error) from None
