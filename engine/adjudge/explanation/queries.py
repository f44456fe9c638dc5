"""A Rego program, an input and the path of a rule in; why the rule has its value out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from adjudge.documents.model import Parsed, join
from adjudge.errors import UsageError
from adjudge.explanation.changes import Path
from adjudge.explanation.clauses import Clauses
from adjudge.explanation.constants import pool_of
from adjudge.explanation.model import Counterfactual, Explanation, Ground, Reading
from adjudge.explanation.search import Bounds, Goal, Search
from adjudge.rego import UNDEFINED, Options, Program, RegoEvalError
from adjudge.rego.evidence import Entry, Evaluation, EvidenceProgram, Outcome
from adjudge.rego.passes.model import path_text
from adjudge.rego.runtime.limits import Limits
from adjudge.rego.runtime.text import rego_text
from adjudge.rego.syntax import Module
from adjudge.source import Location
from adjudge.yamlpolicy.problems import suggestion

MAX_SHOWN = 200


@dataclass
class QueryExplainer:
    """Explains the rules of a program over one input.

    ``parsed`` is what the input was read from, and ``file`` its name; None when it is unknown
    where its values stand.
    """

    program: Program
    modules: Mapping[str, Module]
    input: Any
    options: Options
    file: str = ""
    parsed: Parsed | None = None
    bounds: Bounds | None = Bounds()

    def explain(self, path: tuple[str, ...]) -> Explanation:
        """Why the rule at ``path`` below ``data`` has the value it has.

        Raises UsageError ``unknown_rule`` when there is none, ``rule_without_clauses`` for
        functions and mere defaults.
        """
        program = EvidenceProgram(self.program, [path[-1]] if path else [])
        entries = [e for e in program.entries if e.group.path == path]
        if not entries:
            name = path_text(path)
            if name in self.program.rule_paths:
                raise UsageError(
                    "rule_without_clauses",
                    f"{name} is a function, or has nothing but a default",
                    hint="name a rule that uses it",
                )
            near = suggestion(name, self.program.rule_paths)
            raise UsageError(
                "unknown_rule",
                f"there is no rule {name}",
                hint=near or "name one rule, such as data.app.deny",
            )
        evaluation = program.start(self.input, self.options)
        outcomes = [evaluation.run(entry) for entry in entries]
        clauses = Clauses(self.program, self.modules, self.input, self.options, lambda text: text)
        told = clauses.of(path)
        outcome = _outcome(entries, outcomes)
        counterfactual = None
        if self.bounds is not None and outcome != "error":
            counterfactual = self._search(program, entries, outcome, clauses)
        return Explanation(
            subject=self.file or "no input",
            kind="input",
            outcome=outcome,
            findings=tuple(_findings(outcomes)),
            clauses=told,
            readings=tuple(self._readings(outcomes)),
            counterfactual=counterfactual,
        )

    def _search(
        self, program: EvidenceProgram, entries: list[Entry], outcome: str, clauses: Clauses
    ) -> Counterfactual:
        assert self.bounds is not None
        limits = Limits(self.options.limits.steps, self.bounds.seconds, self.options.limits.size)

        def start(input_: Any, strict: bool = True) -> Evaluation:
            options = Options(self.options.now_ns, self.options.seed, strict, limits)
            return program.start(input_, options)

        # What makes a builtin fail flips rules, too, and is no answer; unless builtins fail
        # already.
        if any(start(self.input).run(e, reading=False).error is not None for e in entries):
            start = partial(start, strict=False)

        files = {e.clause.loc.file for e in entries}
        own = [m for f, m in self.modules.items() if f in files]
        pool = pool_of(clauses.values(), own, list(self.modules.values()))
        goal: Goal = "nothing" if outcome in ("true", "defined") else "something"
        return Search(entries, start, self.ground, pool, goal, self.bounds).run()

    @property
    def ground(self) -> Ground:
        """The input, and where its values stand."""
        return Ground(
            input={} if self.input is UNDEFINED else self.input,
            place=self.place,
            now_ns=self.options.now_ns or 0,
        )

    def place(self, path: Path) -> tuple[str, Location | None]:
        """The pointer of a path of the input, and where it stands in the file."""
        pointer = join("", *path)
        position = self.parsed.locate(pointer) if self.parsed is not None else None
        while position is None and pointer and self.parsed is not None:
            pointer = pointer.rpartition("/")[0]
            position = self.parsed.locate(pointer)
        at = None if position is None else Location(self.file, position.line, position.column)
        return join("", *path), at

    def _readings(self, outcomes: list[Outcome]) -> Iterator[Reading]:
        seen = set()
        for outcome in outcomes:
            for read in (*(r for s in outcome.solutions for r in s.reads), *outcome.reads):
                if (read.root, read.path) in seen:
                    continue
                seen.add((read.root, read.path))
                value = None if read.value is UNDEFINED else rego_text(read.value)[:MAX_SHOWN]
                if read.root == "data":
                    yield Reading(join("/data", *read.path), value)
                else:
                    yield Reading(self.place(read.path)[0], value, self.place(read.path)[1])


def _outcome(entries: list[Entry], outcomes: list[Outcome]) -> str:
    if any(o.error is not None for o in outcomes):
        return "error"
    values = [s.value for o in outcomes for s in o.solutions]
    if entries[0].group.kind == "set":
        return "defined" if values else "empty"
    if not values:
        return "undefined"
    if values[0] is False:
        return "false"
    return "true" if values[0] is True else "defined"


def _findings(outcomes: list[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        if isinstance(outcome.error, RegoEvalError):
            yield str(outcome.error)
        for solution in outcome.solutions:
            if not isinstance(solution.value, bool):
                value = solution.value
                yield value if isinstance(value, str) else str(_message(value))


def _message(value: Any) -> Any:
    if isinstance(value, dict):
        return value.get("msg", value.get("message", value))
    return value
