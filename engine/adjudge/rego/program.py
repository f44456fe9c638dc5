"""Rego modules in, a Program that evaluates rules and queries out.

A Program is immutable and may be shared between threads; all state of an evaluation
lives in its context.  This module holds the one ``exec`` of the project.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adjudge.rego import abi
from adjudge.rego.ast_json import module_json
from adjudge.rego.builtins import catalog
from adjudge.rego.capabilities import Capabilities, all_capabilities
from adjudge.rego.codegen import builder
from adjudge.rego.codegen.module import BuiltinKinds, Generated, ModuleEmitter
from adjudge.rego.errors import RegoCompileError, RegoErrors, RegoEvalError
from adjudge.rego.parser import parse_body, parse_module
from adjudge.rego.passes import calls, flatten, names, run_passes, safety, types
from adjudge.rego.passes.model import Compilation, Group, Path
from adjudge.rego.plan import ir, rules
from adjudge.rego.plan.terms import PlanError
from adjudge.rego.runtime.context import Context, Shared, TracedContext
from adjudge.rego.runtime.documents import RuleNode
from adjudge.rego.runtime.limits import DEFAULT_OPTIONS, Options
from adjudge.rego.runtime.link import add_rules, namespace
from adjudge.rego.runtime.text import from_json, to_json
from adjudge.rego.runtime.values import UNDEFINED, Value
from adjudge.rego.syntax import Body, Import, Module
from adjudge.source import Location


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
) -> Program:
    """Compile modules (file name to text, or parsed) against base documents.

    ``schemas`` are JSON schemas by the names that annotations use, that of all input under
    the empty name.  ``rewrite`` may change the rules after they were checked and before
    they are planned.
    Raises :class:`~adjudge.rego.errors.RegoErrors` with every error found.
    """
    granted = capabilities or all_capabilities()
    parsed = parse_modules(modules, granted, rego_version)
    comp = Compilation(parsed, granted, strict)
    comp.sources = {m.file: m.source for m in parsed}
    comp.mocked |= mocked
    comp.schemas = schemas
    run_passes(comp)
    _raise(comp)
    if rewrite is not None:
        rewrite(comp)
    plan = rules.plan_program(comp)
    _raise(comp)
    return Program(comp, plan, from_json(dict(data or {})))


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
            parsed.append(parse_module(text, name, rego_version, builtins=granted.builtins))
        except RegoErrors as e:
            errors.extend(e.errors)
    if errors:
        raise RegoErrors(errors)
    return parsed


def _raise(comp: Compilation) -> None:
    if comp.errors:
        raise RegoErrors(comp.errors)


class Program:
    """Compiled modules and their base documents."""

    around: Callable[[Group, Callable[..., Value]], Callable[..., Value]] | None = None
    """What is put around the functions of rules, when tracing; set before anything runs."""

    _context = Context

    def __init__(self, comp: Compilation, plan: ir.ProgramPlan, data: dict[Any, Value]) -> None:
        self._comp = comp
        self._plan = plan
        self._data = data
        self._slots: dict[Path, int] = {g.path: n for n, g in enumerate(comp.groups.values())}

    # -- linking ---------------------------------------------------------------------------

    @cached_property
    def _linked(self) -> tuple[dict[str, Any], RuleNode]:
        """The generated module and the rule tree over it, made when first needed: a gate
        that only runs the evidence variant never emits this one."""
        return self._link()

    @property
    def _namespace(self) -> dict[str, Any]:
        return self._linked[0]

    @property
    def _rules(self) -> RuleNode:
        return self._linked[1]

    def _emitted(self) -> Generated:
        emitter = ModuleEmitter(self._slots, _kinds(self._comp))
        emitter.rules(self._plan.rules)
        return emitter.finish()

    def _link(self) -> tuple[dict[str, Any], RuleNode]:
        with builder.LOCK:
            generated = self._emitted()
        scope = _execute(generated, "<rego>", namespace())
        if self.around is not None:
            for path, slot in self._slots.items():
                group = self._comp.groups[path]
                kind = abi.FUNCTION_PREFIX if group.kind == "function" else abi.EVAL_PREFIX
                name = f"{kind}{slot}"
                if name in scope:
                    scope[name] = self.around(group, scope[name])
        add_rules(scope, self._slots.values())

        def function(path: Path, prefix: str) -> Callable[[Context], Any] | None:
            return scope.get(f"{prefix}{self._slots[path]}")

        return scope, self._tree(function)

    def _tree(self, function: Callable[[Path, str], Callable[[Context], Any] | None]) -> RuleNode:
        """The rule tree over the functions of a generated module."""
        root = RuleNode()
        for module in self._comp.modules:
            _node_at(root, module.package)
        for path, slot in self._slots.items():
            node = _node_at(root, path)
            if self._comp.groups[path].kind == "function":
                node.is_function = True
            else:
                node.slot = slot
                node.rule = function(path, abi.RULE_PREFIX)
                node.parts = function(path, abi.PARTS_PREFIX)
        return root

    def traced(self, is_entry: Callable[[Group], bool]) -> Traced:
        """The evidence variant: the same plan, emitted with its reads recorded."""
        return Traced(self, is_entry)

    def narrowed(self, paths: Iterable[Path]) -> Program:
        """The same program, only with the rules that the rules at these paths can reach."""
        found = dict.fromkeys(paths)
        queue = list(found)
        for each in queue:
            for target in self._comp.graph.get(each, ()):
                if target not in found:
                    found[target] = None
                    queue.append(target)
        other = Program(
            self._comp, ir.ProgramPlan([p for p in self._plan.rules if p.group.path in found]), {}
        )
        other._data, other.around = self._data, self.around
        return other

    def relinked(self, comp: Compilation, plans: Iterable[ir.RulePlan]) -> dict[str, Any]:
        """The functions of this program, those of some rules made anew from other plans."""
        made = list(plans)
        with builder.LOCK:
            emitter = ModuleEmitter(self._slots, _kinds(comp))
            emitter.rules(made)
            generated = emitter.finish()
        scope = _execute(generated, "<rego>", dict(self._namespace))
        add_rules(scope, [self._slots[p.group.path] for p in made])
        return scope

    # -- evaluation --------------------------------------------------------------------------

    def context(self, input_: Value, options: Options, data: dict[Any, Value] | None) -> Context:
        """A fresh context."""
        base = self._data if data is None else data
        return self._context(
            self._rules, len(self._slots), input_, base, Shared(options, HOST_SERVICES)
        )

    def with_data(self, data: Mapping[str, Any]) -> Program:
        """The same rules over other base documents; nothing is compiled again."""
        other = Program.__new__(Program)
        other.__dict__.update(self.__dict__)
        other._data = from_json(dict(data))
        return other

    def rule(self, path: str) -> CompiledRule:
        """The rule at ``data.a.b``; raises ``KeyError`` when there is none."""
        keys = tuple(path.split(".")[1:])
        slot = self._slots[keys]
        if self._comp.groups[keys].kind == "function":
            raise KeyError(f"{path} is a function")
        return CompiledRule(self, slot)

    def rule_at(self, path: Path) -> Callable[[Context], Value]:
        """The function of the rule at a path below ``data``; it takes a context."""
        function: Callable[[Context], Value] = self._namespace[f"r_{self._slots[path]}"]
        return function

    @property
    def rule_paths(self) -> list[str]:
        """The paths of all rules, functions included."""
        return [g.name for g in self._comp.groups.values()]

    @property
    def groups(self) -> Sequence[Group]:
        """The compiled groups, in source order."""
        return list(self._comp.groups.values())

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
        rewrite: Callable[[Compilation, Body], Body] | None = None,
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
            schemas=self._comp.schemas,
        )
        program._data = self._data
        return program


class Traced(Program):
    """The evidence variant of a program, with the clauses of some rules as functions.

    Functions are emitted when an entry is first asked for, together with the rules it can
    reach: judging an SBOM does not pay for the rules about model cards.
    """

    _context = TracedContext

    def __init__(self, program: Program, is_entry: Callable[[Group], bool]) -> None:
        self.entry_plans = [p for p in program._plan.rules if is_entry(p.group)]
        self._comp, self._plan, self._data = program._comp, program._plan, program._data
        self._slots = program._slots
        self._plans = {p.group.path: p for p in self._plan.rules}
        self._entries = {p.group.path for p in self.entry_plans}
        self._emitter = ModuleEmitter(self._slots, _kinds(self._comp), trace=True)
        self._emitted_paths: set[Path] = set()
        self._lock = threading.RLock()

    def _link(self) -> tuple[dict[str, Any], RuleNode]:
        return namespace(), self._tree(self._stub)

    def _stub(self, path: Path, prefix: str) -> Callable[[Context], Any] | None:
        name = f"{prefix}{self._slots[path]}"
        if prefix == abi.PARTS_PREFIX and self._comp.groups[path].kind != "object":
            return None

        def call(c: Context) -> Any:
            self._need(path)
            return self._namespace[name](c)

        return call

    def _need(self, path: Path) -> None:
        """Emit a rule and all it can reach, unless that was done."""
        if path in self._emitted_paths:
            return
        with self._lock:
            wanted = [p for p in self._reachable(path) if p not in self._emitted_paths]
            with builder.LOCK:
                for each in wanted:
                    self._emitter.rules([self._plans[each]])
                    if each in self._entries and self._comp.groups[each].kind == "set":
                        self._emitter.entry(self._plans[each])
                generated = self._emitter.finish()
            _execute(generated, "<rego>", self._namespace)
            self._emitted_paths.update(wanted)

    def _reachable(self, path: Path) -> list[Path]:
        found = {path: None}
        queue = [path]
        for each in queue:
            for target in self._comp.graph.get(each, ()):
                if target not in found:
                    found[target] = None
                    queue.append(target)
        return [p for p in found if p in self._plans]

    def entry_function(self, group: Group, clause: int) -> Any:
        """The function ``(context, found)`` of one clause; a rule that is no partial set is
        one entry as a whole, its value the one solution."""
        slot = self._slots[group.path]
        name = f"{abi.ENTRY_PREFIX}{slot}_{clause}"
        is_set = group.kind == "set"

        def run(c: Context, found: list[tuple[Value, Any]]) -> None:
            self._need(group.path)
            if is_set:
                self._namespace[name](c, found)
                return
            value = self._namespace[f"{abi.RULE_PREFIX}{slot}"](c)
            if clause == 0 and value is not UNDEFINED:
                found.append((value, list(c.reads)))

        return run


def _parsed_json(name: str, text: str) -> Value:
    return from_json(module_json(parse_module(text, name)))


HOST_SERVICES = {"parse_module": _parsed_json}
"""What every evaluation grants to builtins."""


def _node_at(root: RuleNode, path: Path) -> RuleNode:
    node = root
    for key in path:
        below = node.children.get(key)
        if below is None:
            below = node.children[key] = RuleNode()
        node = below
    return node


def _kinds(comp: Compilation) -> BuiltinKinds:
    return BuiltinKinds(_Flagged("context"), _Flagged("nondeterministic"))


class _Flagged(frozenset[str]):
    """The builtins with a flag; answers by importing the builtin's family."""

    flag: str

    def __new__(cls, flag: str) -> _Flagged:
        self = super().__new__(cls)
        self.flag = flag
        return self

    def __contains__(self, name: object) -> bool:
        found = catalog.find(str(name))
        return found is not None and bool(getattr(found, self.flag))


def _execute(generated: Generated, filename: str, scope: dict[str, Any]) -> dict[str, Any]:
    for name, identifier in generated.builtins.items():
        found = catalog.find(name)
        if found is None:
            raise RegoErrors(
                [RegoCompileError("rego_type_error", f"builtin {name} is not supported")]
            )
        scope[identifier] = found.function
    try:
        code = compile(generated.tree, filename, "exec", dont_inherit=True, optimize=1)
    except (RecursionError, SyntaxError, ValueError, MemoryError) as e:
        raise RegoErrors(
            [
                RegoCompileError(
                    "rego_compile_error",
                    f"a rule is too large or too deeply nested ({type(e).__name__})",
                    hint="split the rule into smaller ones",
                )
            ]
        ) from None
    exec(code, scope)  # noqa: S102 - the only exec; the tree is built from abi names and constants
    return scope


class CompiledRule:
    """One rule, ready to be evaluated many times."""

    __slots__ = ("_context", "_data", "_function", "_rules", "_slots")

    def __init__(self, program: Program, slot: int) -> None:
        self._context = program._context
        self._rules = program._rules
        self._slots = len(program._slots)
        self._data = program._data
        # In a new context no rule has a value yet, so there is none to look for.
        self._function = program._namespace[f"{abi.EVAL_PREFIX}{slot}"]

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
        except RecursionError:
            raise too_deep() from None


def too_deep() -> RegoEvalError:
    """What is raised instead of Python's ``RecursionError``."""
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
        rewrite: Callable[[Compilation, Body], Body] | None = None,
    ) -> None:
        self.text = text
        self._rewrite = rewrite
        body = parse_body(text, "", rego_version)
        comp = program._comp
        self._program = program
        own = Compilation(comp.modules, comp.capabilities, comp.strict)
        own.groups, own.tree, own.sources = comp.groups, comp.tree, {"": text}
        own.mocked = set(comp.mocked)
        resolved = names.resolve_query(own, body, package, imports)
        _raise(own)
        if own.mocked - comp.mocked:
            self._program = program._with_mocks(own.mocked)
            comp = self._program._comp
            own.groups, own.tree = comp.groups, comp.tree
        own.graph, own.inferred = comp.graph, comp.inferred
        calls.check_query(own, resolved)
        _raise(own)
        self._plan = self._compile(own, resolved)

    @property
    def program(self) -> Program:
        """The program that the query runs on: the one it was prepared from, or one whose
        rules ask for what the query replaces."""
        return self._program

    def _compile(self, comp: Compilation, resolved: Body) -> ir.QueryPlan:
        body = safety.order_query(comp, flatten.flatten_query(resolved))
        _raise(comp)
        types.check_query(comp, body)
        _raise(comp)
        if self._rewrite is not None:
            body = self._rewrite(comp, body)
        try:
            plan = rules.plan_query(comp, body, frozenset(), resolved)
        except PlanError as e:
            comp.error(e.message, e.loc)
            raise RegoErrors(comp.errors) from None
        with builder.LOCK:
            emitter = ModuleEmitter(self._program._slots, _kinds(comp))
            emitter.query(plan)
            generated = emitter.finish()
        scope = _execute(generated, "<query>", dict(self._program._namespace))
        self._function = scope["query"]
        return plan

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
        except RecursionError:
            raise too_deep() from None

    def _answers(self, c: Context) -> list[Result]:
        rows: list[tuple[Value, ...]] = []
        self._function(c, rows)
        count = len(self._plan.variables)
        places = self._plan.expressions
        texts = _texts(self.text, places)
        results = []
        for row in rows:
            plain = [to_json(v) for v in row]
            bindings = dict(zip(self._plan.variables, plain[:count], strict=True))
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
