"""A policy set, a case and a rule's id in; why the rule found something, or did not, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from adjudge.decision.model import RuleResult
from adjudge.documents.model import join
from adjudge.evaluation import Case, Judge, Run, Scope, Settings
from adjudge.explanation.changes import Path
from adjudge.explanation.clauses import Clauses
from adjudge.explanation.constants import pool_of
from adjudge.explanation.model import Clause, Counterfactual, Explanation, Ground, Reading
from adjudge.explanation.search import Bounds, Goal, Search
from adjudge.exports.report import evidence_text
from adjudge.policyset import RuleSpec, input_schemas
from adjudge.policyset.references import needed
from adjudge.rego import Options, Program, compile_modules
from adjudge.rego.evidence import Entry, Evaluation
from adjudge.rego.runtime.limits import Limits
from adjudge.rego.syntax import Module
from adjudge.source import Location
from adjudge.yamlpolicy.scope import scope_for
from adjudge.yamlpolicy.shapes import ANY

_FIXED = frozenset({"kind", "digest", "size", "path", "files", "degradations", ""})
"""What of an artifact no policy author or release engineer can write."""
_MADE = ((), ("manifest",), ("trust",), ("artifacts",))
"""What of the release is made from elsewhere."""


@dataclass
class RuleExplainer:
    """Explains one rule over the inputs of a case; ``bounds`` are those of each search."""

    judge: Judge
    case: Case
    settings: Settings
    specs: Sequence[RuleSpec]
    bounds: Bounds | None = Bounds()

    def __post_init__(self) -> None:
        policies = self.judge.policies
        files = {spec.location.file for spec in self.specs}
        chosen = [m for m in policies.modules if m.file in files]
        self._modules: dict[str, Module] = {
            m.file: m for m in needed(list(policies.modules), chosen)
        }
        # Only what the rule stands on is compiled with probes.
        self._program: Program = compile_modules(
            dict(self._modules), data=policies.data, capabilities=self.judge.capabilities
        )
        by_place = {spec.location: entry for spec, entry in self.judge.entries}
        self._entries: list[tuple[RuleSpec, Entry]] = [
            (spec, by_place[spec.location]) for spec in self.specs
        ]

    def explanations(self) -> Iterator[tuple[Explanation, Ground]]:
        """One for each input that the rule is about, and that input; none when there is no such
        input."""
        run = Run(self.judge, self.case, self.settings, None)
        for scope in run.scopes():
            mine = [(s, e) for s, e in self._entries if scope.concerns(s)]
            if mine:
                yield self._explanation(scope, mine), self._ground(scope)

    def _explanation(self, scope: Scope, mine: list[tuple[RuleSpec, Entry]]) -> Explanation:
        results = [r for spec, entry in mine for r in scope.results(spec, entry)]
        outcome = _outcome(results)
        clauses = Clauses(
            self._program,
            self._modules,
            scope.input,
            self._options(),
            self.settings.redaction.redact_text,
        )
        found: list[Clause] = []
        places = {e.clause.loc for _, e in mine}
        for path in dict.fromkeys(e.group.path for _, e in mine):
            found += [c for c in clauses.of(path) if c.location in places]
        if outcome == "not_applicable":
            path = (*mine[0][1].group.path[:-1], "applicable")
            found = list(clauses.of(path))
        counterfactual = None
        if self.bounds is not None and outcome not in ("not_applicable", "error"):
            counterfactual = self._search(scope, [e for _, e in mine], outcome, clauses)
        return Explanation(
            subject=scope.artifact or "the release",
            kind=scope.kind,
            outcome=outcome,
            findings=tuple(r.message for r in results if r.outcome in ("fail", "warn", "error")),
            clauses=tuple(found),
            readings=tuple(_readings(results)),
            counterfactual=counterfactual,
        )

    def _search(
        self, scope: Scope, entries: list[Entry], outcome: str, clauses: Clauses
    ) -> Counterfactual:
        assert self.bounds is not None
        first = [self._modules[s.location.file] for s in self.specs]
        pool = pool_of(clauses.values(), first, list(self._modules.values()))
        goal: Goal = "something" if outcome == "pass" else "nothing"
        return Search(entries, self._start, self._ground(scope), pool, goal, self.bounds).run()

    def _options(self) -> Options:
        return Options(
            now_ns=self.settings.now_ns,
            seed=self.settings.now_ns.to_bytes(12, "big", signed=True),
            strict_builtin_errors=self.settings.strict_builtin_errors,
            limits=self.settings.limits,
        )

    def _start(self, input_: Any) -> Evaluation:
        options = self._options()
        seconds = self.bounds.seconds if self.bounds is not None else options.limits.seconds
        limits = Limits(options.limits.steps, seconds, options.limits.size)
        return self.judge.evidence.start(
            input_,
            Options(options.now_ns, options.seed, options.strict_builtin_errors, limits),
        )

    def _ground(self, scope: Scope) -> Ground:
        raw = self.case.raw
        known = None if raw else scope_for(scope.kind, input_schemas())

        def place(path: Path) -> tuple[str, Location | None]:
            found = scope.place(path)
            source = found.source
            at = None if source is None else Location(source.file, source.line, source.column)
            name = f"{found.artifact}: " if found.artifact and scope.artifact is None else ""
            return f"{name}{found.pointer}", at

        return Ground(
            input=scope.input,
            place=place,
            fixed=(lambda path: False) if raw else _is_fixed,
            shape=known.input if known is not None else ANY,
            now_ns=self.settings.now_ns,
            conceal=self._concealed,
        )

    def _concealed(self, path: Path, value: Any) -> Any:
        """A value, or a word about why it is not shown."""
        evidence = self.settings.redaction.evidence(None, join("", *path), value, None)
        if evidence.recorded == "redacted":
            return f"[redacted: {evidence.redacted}]"
        return value


def _is_fixed(path: Path) -> bool:
    """Whether a path of an artifact, or of a release, is nothing that somebody writes."""
    if path[0] == "release":
        return path[1:2] in _MADE
    if path[0] in ("facts", "document", "git", "context"):
        return False
    # artifacts/0/facts/…: the same within one artifact of a release.
    if len(path) > 2 and isinstance(path[1], int):
        return path[2] in _FIXED
    return path[0] not in ("problems", "signatures")


def _outcome(results: Sequence[RuleResult]) -> str:
    order = ("error", "fail", "warn", "waived", "pass", "not_applicable")
    return min((r.outcome for r in results), key=order.index, default="not_applicable")


def _readings(results: Sequence[RuleResult]) -> Iterator[Reading]:
    seen = set()
    for result in results:
        for evidence in result.evidence:
            key = (evidence.artifact, evidence.pointer)
            if key in seen:
                continue
            seen.add(key)
            source = evidence.source
            place = None if source is None else Location(source.file, source.line, source.column)
            yield Reading(
                evidence.pointer,
                None if evidence.recorded == "absent" else evidence_text(evidence),
                place,
            )
