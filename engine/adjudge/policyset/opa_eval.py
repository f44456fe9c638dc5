"""A query, files and an input in; answers and measurements out, as ``opa eval`` gives them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from adjudge.errors import AdjudgeError, ErrorList
from adjudge.policyset.coverage import Coverage, coverage
from adjudge.policyset.opa_files import OpaFiles, load_opa_files, load_schemas
from adjudge.policyset.programs import compiled
from adjudge.rego import UNDEFINED, Options, Program, RegoEvalError, Result
from adjudge.rego.capabilities import Capabilities, all_capabilities
from adjudge.rego.parser import parse_body, parse_module
from adjudge.rego.probes import Probed, probe_all
from adjudge.rego.program import parse_modules
from adjudge.rego.query import Query
from adjudge.rego.runtime.limits import Limits
from adjudge.rego.runtime.values import Value
from adjudge.rego.syntax import Import, Module
from adjudge.rego.tracing import Cost, Event, Mode, Profiler, Tracer, filtered, watch_rules

NO_STEP_LIMIT = 10**15
"""A query is the operator's own: only time ends it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to evaluate and what to tell of it.

    ``seconds`` bounds the evaluation; ``explain`` asks for a trace, ``profile`` for the
    cost of each line, ``covered`` for the coverage of the modules.  ``engine`` evaluates in
    place of the embedded one; it can tell none of these.
    """

    query: str
    data: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    schema: str | None = None
    package: str = ""
    imports: tuple[str, ...] = ()
    capabilities: Capabilities = field(default_factory=all_capabilities)
    rego_version: int = 1
    strict: bool = False
    input: Value = UNDEFINED
    strict_builtin_errors: bool = False
    show_builtin_errors: bool = False
    seconds: float = 1e9
    services: Mapping[str, Any] = field(default_factory=dict)
    explain: Mode | None = None
    profile: bool = False
    covered: bool = False
    engine: QueryEngine | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A request with its files read and found to compile, for another engine.

    ``package`` and ``imports`` are what the names of the query are looked up in.
    """

    request: Request
    package: tuple[str, ...]
    imports: tuple[Import, ...]
    modules: Sequence[Module]
    data: Mapping[str, Any]


QueryEngine = Callable[[Question], list[Result]]
"""Gives all answers; raises ``AdjudgeError``."""


@dataclass(slots=True)
class Answer:
    """What one evaluation gave.

    ``errors`` are why there is no result; ``builtin_errors`` do not stand in the way of
    one.  ``metrics`` are nanoseconds by timer, ``prints`` the lines that ``print`` wrote.
    """

    results: list[Result] = field(default_factory=list)
    errors: list[AdjudgeError] = field(default_factory=list)
    builtin_errors: list[AdjudgeError] = field(default_factory=list)
    metrics: dict[str, int] = field(default_factory=dict)
    prints: list[str] = field(default_factory=list)
    events: list[Event] | None = None
    profile: list[Cost] = field(default_factory=list)
    coverage: Coverage | None = None


def evaluate(request: Request) -> Answer:
    """Load, compile and evaluate; what is wrong is told in ``errors``."""
    answer = Answer()
    try:
        _Evaluation(request, answer).run()
    except AdjudgeError as e:
        answer.errors.extend(e.errors if isinstance(e, ErrorList) else [e])
    return answer


class _Evaluation:
    """One evaluation, step by step."""

    def __init__(self, request: Request, answer: Answer) -> None:
        self.request = request
        self.answer = answer
        self.data: Mapping[str, Any] = {}

    def run(self) -> None:
        request = self.request
        package, imports = self._scope()
        program, modules = self._program()
        with self._timed("query_parse"):
            parse_body(request.query, "", request.rego_version)
        watched = request.explain or request.profile or request.covered
        with self._timed("query_compile"):
            query, probed = self._query(program, package, imports, bool(watched))
        if request.engine is not None:
            with self._timed("query_eval"):
                question = Question(request, package, imports, modules, self.data)
                self.answer.results = request.engine(question)
        elif probed is None:
            self._eval(query, {})
        else:
            self._observe(query, probed, modules)

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        begun = time.perf_counter_ns()
        try:
            yield
        finally:
            self.answer.metrics[f"timer_rego_{name}_ns"] = time.perf_counter_ns() - begun

    def _scope(self) -> tuple[tuple[str, ...], tuple[Import, ...]]:
        """The package and the imports of the query, which are read as a module's."""
        lines = [f"package {self.request.package or 'query'}"]
        lines += [f"import {name}" for name in self.request.imports]
        module = parse_module("\n".join(lines), "", self.request.rego_version)
        return module.package if self.request.package else (), module.imports

    def _program(self) -> tuple[Program, list[Module]]:
        request = self.request
        with self._timed("load_files"):
            files: OpaFiles = load_opa_files(
                request.data,
                bundles=request.bundles,
                ignore=request.ignore,
                rego_version=request.rego_version,
            )
            schemas = None if request.schema is None else load_schemas(request.schema)
        self.data = files.data
        if files.data_ns:
            self.answer.metrics["timer_rego_data_parse_ns"] = files.data_ns
        with self._timed("module_parse"):
            modules = parse_modules(files.modules, request.capabilities, request.rego_version)
        with self._timed("module_compile"):
            program = compiled(
                {str(n): module for n, module in enumerate(modules)},
                data=files.data,
                capabilities=request.capabilities,
                strict=request.strict,
                schemas=schemas,
            )
        return program, modules

    def _query(
        self,
        program: Program,
        package: tuple[str, ...],
        imports: tuple[Import, ...],
        watched: bool,
    ) -> tuple[Query, Probed | None]:
        def prepared(program: Program, **more: Any) -> Query:
            return program.prepare(
                self.request.query,
                package=package,
                imports=imports,
                rego_version=self.request.rego_version,
                **more,
            )

        query = prepared(program)
        if not watched:
            return query, None
        # The program of the query: its `with` may have had it compiled anew.
        probed = probe_all(query.program)
        watch_rules(probed.program)
        return prepared(probed.program, rewrite=probed.query_body), probed

    def _eval(self, query: Query, services: Mapping[str, Any]) -> None:
        request, answer = self.request, self.answer
        options = Options(
            strict_builtin_errors=request.strict_builtin_errors,
            limits=Limits(steps=NO_STEP_LIMIT, seconds=request.seconds),
            services={**request.services, **services},
        )
        context = query.program.context(request.input, options, None)
        try:
            with self._timed("query_eval"):
                answer.results = query.eval_context(context)
        finally:
            answer.prints = context.shared.prints
            if request.show_builtin_errors:
                answer.builtin_errors = list(context.shared.builtin_errors)

    def _observe(self, query: Query, probed: Probed, modules: list[Module]) -> None:
        """Evaluate with somebody watching, once for each thing that is asked for."""
        request, answer = self.request, self.answer
        sources = {m.file: m for m in modules}
        if request.covered:
            hits: set[int] = set()
            self._watched(query, {"probe": lambda number, values: hits.add(number)}, None)
            answer.coverage = coverage(modules, probed.probes, hits)
        if request.explain is not None:
            tracer = Tracer(probed, sources, query=request.query)
            self._watched(query, tracer.services(), tracer.finish)
            answer.events = filtered(tracer.events, request.explain)
        if request.profile:
            profiler = Profiler(probed)
            self._watched(query, profiler.services(), profiler.finish)
            answer.profile = list(profiler.costs.values())

    def _watched(
        self, query: Query, services: Mapping[str, Any], finish: Callable[[], None] | None
    ) -> None:
        """What was seen until an error is told with the error."""
        try:
            self._eval(query, services)
        except RegoEvalError as e:
            self.answer.errors = [e]
        if finish is not None:
            finish()
