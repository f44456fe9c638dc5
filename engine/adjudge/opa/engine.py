"""Rules and an input in, what a running OPA finds by them out.

Each clause of a rule is asked for on its own, as the embedded engine does: it was pushed a
second time under a name of its own.  All clauses for one input are one query; only when that
cannot be evaluated are they asked for one by one, to learn which of them it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final

from adjudge.decision.model import Degradation, EngineInfo
from adjudge.opa.bundled import BundledEngine
from adjudge.opa.client import EvaluationFailed, Opa, Provenance
from adjudge.opa.moving import Copy, Root
from adjudge.opa.target import Target
from adjudge.opa.telling import about, pointed, unknown
from adjudge.opa.workspace import Warn, Workspace
from adjudge.policyset.model import PolicySet, RuleSpec
from adjudge.rego.evidence import Entry, EvidenceProgram, Outcome, Places, Solution
from adjudge.rego.passes.model import Path, path_text
from adjudge.rego.runtime.limits import Options
from adjudge.rego.runtime.values import UNDEFINED, Value
from adjudge.rego.syntax import Var
from adjudge.source import Location

APPLICABLE: Final = "applicable"
_ANSWER: Final = """\
answer := {"marker": MARKER, "values": values} if {
	count(here) == COUNT
	wanted := input.wanted
	values := {i: v | some i in wanted; v := clauses[i]}
		with input as input.document
		with time.now_ns as input.now
}
"""


@contextmanager
def opa_engine(
    target: Target,
    policies: PolicySet,
    entries: Sequence[tuple[RuleSpec, Entry]],
    program: EvidenceProgram,
    warn: Warn,
) -> Iterator[OpaEngine | BundledEngine]:
    """An engine that asks the OPA at ``target``; what it pushes is taken away afterwards.

    ``entries`` are the rules of ``policies`` with their clauses, ``program`` what the embedded
    engine makes of them.  ``warn`` is told when something cannot be taken away.  Raises
    OpaError.
    """
    opa = Opa(target)
    if not target.push:
        with closing(opa):
            bundled = BundledEngine(opa, policies, program)
            bundled.compare()
            yield bundled
        return
    workspace = Workspace(opa)
    try:
        engine = OpaEngine(workspace, policies, entries)
        engine.push()
        yield engine
    finally:
        workspace.clear(warn)
        opa.close()


class OpaEngine:
    """The rules of a policy set in an OPA; see :func:`opa_engine`."""

    def __init__(
        self,
        workspace: Workspace,
        policies: PolicySet,
        entries: Sequence[tuple[RuleSpec, Entry]],
    ) -> None:
        self.workspace = workspace
        self._policies = policies
        self._entries = {entry.clause.loc: entry for _, entry in entries}
        self._keys = {loc: f"clause_{n}" for n, loc in enumerate(self._entries)}
        packages = dict.fromkeys(e.group.path[:-1] for e in self._entries.values())
        self._applicable = {
            (*package, APPLICABLE): f"{APPLICABLE}_{n}"
            for n, package in enumerate(packages)
            if self._has_condition(package)
        }
        self._provenance: Provenance | None = None

    def _has_condition(self, package: tuple[Any, ...]) -> bool:
        return any(
            isinstance(rule.head.ref, Var) and rule.head.ref.name == APPLICABLE
            for module in self._policies.modules
            if module.package == package
            for rule in module.rules
        )

    # -- what the record says ----------------------------------------------------------------

    @property
    def info(self) -> EngineInfo:
        """Which OPA it is."""
        assert self._provenance is not None, "pushed first"
        return EngineInfo(name="opa", version=self._provenance.version, backend="opa")

    @property
    def degradations(self) -> list[Degradation]:
        """What OPA cannot give."""
        assert self._provenance is not None, "pushed first"
        return [*about(self.workspace.opa.target, self._provenance), *unknown(self._policies)]

    # -- pushing -----------------------------------------------------------------------------

    def push(self) -> None:
        """Push what is needed.  Raises OpaError."""
        workspace = self.workspace
        self._provenance = workspace.opa.provenance(workspace.path)
        copies = {
            loc: Copy(self._keys[loc], len(entry.group.path) - len(self._package(loc)))
            for loc, entry in self._entries.items()
            if entry.group.kind == "set"
        }
        pieces = workspace.prepare(self._policies.modules, copies, signed=True)
        asking = workspace.asking(self._asking([p.sign for p in pieces if p.sign is not None]))
        workspace.push(pieces, self._policies.data, [asking])

    def _package(self, loc: Location) -> tuple[str, ...]:
        return next(m.package for m in self._policies.modules if m.file == loc.file)

    def _asking(self, signs: Sequence[Root]) -> str:
        root = self.workspace.root
        rules: dict[str, Path] = {
            key: (*self._package(loc), key) if entry.group.kind == "set" else entry.group.path
            for (loc, entry), key in zip(self._entries.items(), self._keys.values(), strict=True)
        }
        rules |= {key: path for path, key in self._applicable.items()}
        # The first is for policies without rules that count.
        lines = ['clauses["none"] := []']
        lines += [
            f'clauses["{key}"] := [v | v := {path_text((*root, *path))}]'
            for key, path in rules.items()
        ]
        lines += [f"here contains {n} if {path_text(sign)}" for n, sign in enumerate(signs)]
        answer = _ANSWER.replace("MARKER", self.workspace.marker_text)
        answer = answer.replace("COUNT", str(len(signs)))
        return "\n\n".join([*lines, answer])

    # -- asking ------------------------------------------------------------------------------

    def start(
        self,
        input_: Any,
        entries: Sequence[Entry],
        options: Options,
        deadline: float,
        parts: Sequence[tuple[tuple[Any, ...], Places]] = (),
    ) -> OpaRun:
        """Rules about to be run over one input, until ``deadline`` (of the monotonic clock).

        ``parts`` are for engines that can tell what was read.
        """
        wanted = [self._keys[entry.clause.loc] for entry in entries]
        packages = {entry.group.path[:-1] for entry in entries}
        wanted += [key for path, key in self._applicable.items() if path[:-1] in packages]
        return OpaRun(self, input_, wanted, options, deadline)

    def ask(
        self, input_: Any, wanted: Sequence[str], options: Options, deadline: float
    ) -> Mapping[str, Any]:
        """The values of clauses by key.  Raises OpaError, EvaluationFailed."""
        workspace = self.workspace
        question = {"document": input_, "now": options.now_ns, "wanted": list(wanted)}
        answer = workspace.opa.document(
            f"{workspace.ask_path}/answer",
            question,
            strict=options.strict_builtin_errors,
            seconds=deadline - time.monotonic(),
        )
        if not isinstance(answer, dict) or answer.get("marker") != workspace.marker:
            raise workspace.gone()
        values = answer.get("values")
        if not isinstance(values, dict) or any(not isinstance(values.get(k), list) for k in wanted):
            raise workspace.gone()
        return values

    def key_of(self, entry: Entry) -> str:
        """The key of a clause."""
        return self._keys[entry.clause.loc]

    def condition(self, path: tuple[Any, ...]) -> str | None:
        """The key of a package's rule ``applicable``, by its path."""
        return self._applicable.get(path)


class OpaRun:
    """Rules run over one input by an OPA."""

    prints: Sequence[str] = ()
    """What policies print goes to OPA's own log."""
    nondeterminism: Mapping[str, Mapping[Any, Value]] = {}
    """OPA does not tell."""

    def __init__(
        self,
        engine: OpaEngine,
        input_: Any,
        wanted: Sequence[str],
        options: Options,
        deadline: float,
    ) -> None:
        self._engine = engine
        self._input = input_
        self._wanted = wanted
        self._options = options
        self._deadline = deadline
        self._values: dict[str, Any] | None = None

    def run(self, entry: Entry) -> Outcome:
        """Run one clause; evaluation errors are part of the outcome.  Raises OpaError."""
        place = entry.clause.loc
        try:
            found = self._value(self._engine.key_of(entry))
        except EvaluationFailed as error:
            return Outcome((), (), place, self._engine.workspace.error(error.failure, place))
        if entry.group.kind == "set":
            if not found or not isinstance(found[0], list):
                raise self._engine.workspace.gone()
            values = found[0]
        else:
            # A rule with one value is one entry as a whole: that of its first clause.
            values = found if Location(*entry.group.clauses[0][0]) == place else []
        return Outcome(tuple(Solution(v, pointed(self._input, v)) for v in values), (), place)

    def value(self, path: tuple[Any, ...]) -> Value:
        """The value of a package's rule ``applicable``; raises ``RegoEvalError``, OpaError."""
        key = self._engine.condition(path)
        if key is None:
            return UNDEFINED
        try:
            found = self._value(key)
        except EvaluationFailed as error:
            raise self._engine.workspace.error(error.failure, None) from None
        return found[0] if found else UNDEFINED

    def _value(self, key: str) -> Any:
        if self._values is None:
            try:
                self._values = dict(self._ask(self._wanted))
            except EvaluationFailed:
                self._values = {}
        if key not in self._values:
            self._values[key] = self._ask([key])[key]
        return self._values[key]

    def _ask(self, wanted: Sequence[str]) -> Mapping[str, Any]:
        return self._engine.ask(self._input, wanted, self._options, self._deadline)
