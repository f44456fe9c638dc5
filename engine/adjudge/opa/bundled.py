"""Rules that an OPA has already, in a bundle: what it finds by them, with nothing written.

Before anything is judged, the policies and data in OPA are compared with those that the
decision will name.  OPA gives the value of a whole rule; which clause of it a finding is from
is looked up with the embedded engine, and what that does not find is a finding of the first.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from adjudge.decision.model import Degradation, EngineInfo
from adjudge.opa.client import EvaluationFailed, Opa, Provenance, as_path
from adjudge.opa.errors import OpaError
from adjudge.opa.moving import bare, uses
from adjudge.opa.telling import about, pointed, unknown, unverified
from adjudge.opa.workspace import RUNS
from adjudge.policyset.model import PolicySet
from adjudge.rego.errors import RegoError, RegoErrors, RegoEvalError
from adjudge.rego.evidence import Entry, Evaluation, EvidenceProgram, Outcome, Places, Solution
from adjudge.rego.parser import parse_module
from adjudge.rego.runtime.limits import Options
from adjudge.rego.runtime.values import UNDEFINED, Value
from adjudge.rego.syntax import Module, Rule, Var
from adjudge.source import Location

_UNREADABLE: Final = frozenset({"opa_unauthorised", "opa_refused", "opa_not_found"})
"""How an OPA answers that keeps its policies or data to itself."""

CLOCKS_DIFFER_NS: Final = 300 * 10**9
"""How far the time of a decision may be from that of the clock, where policies ask a clock."""

_Shape = tuple[tuple[Any, ...], tuple[Rule, ...]]


class BundledEngine:
    """The rules of a policy set that an OPA has already."""

    def __init__(self, opa: Opa, policies: PolicySet, program: EvidenceProgram) -> None:
        self.opa = opa
        self.program = program
        self._policies = policies
        self._provenance: Provenance | None = None
        self._doubts: list[Degradation] = []

    def compare(self) -> None:
        """See that OPA has what the decision will say that it was made by.

        Raises OpaError: ``opa_policies_differ``, ``opa_data_differs``.  An OPA that does not
        show what it has is noted in :attr:`degradations`.
        """
        self._provenance = self.opa.provenance(RUNS)
        try:
            compare_policies(self.opa, self._policies)
            compare_data(self.opa, self._policies)
        except OpaError as error:
            if error.code not in _UNREADABLE:
                raise
            self._doubts.append(unverified(error.message))

    @property
    def info(self) -> EngineInfo:
        """Which OPA it is."""
        assert self._provenance is not None, "compared first"
        return EngineInfo(name="opa", version=self._provenance.version, backend="opa")

    @property
    def degradations(self) -> list[Degradation]:
        """What OPA cannot give, and what of it is in doubt."""
        assert self._provenance is not None, "compared first"
        found = [
            *about(self.opa.target, self._provenance),
            *unknown(self._policies),
            *self._doubts,
        ]
        if self._asks_the_clock:
            found.append(
                Degradation(
                    code="opa_clock",
                    message="policies asked the clock of OPA, not the time of the decision",
                )
            )
        return found

    @cached_property
    def _asks_the_clock(self) -> bool:
        return any(uses(m.rules, "time.now_ns") for m in self._policies.modules)

    def start(
        self,
        input_: Any,
        entries: Sequence[Entry],
        options: Options,
        deadline: float,
        parts: Sequence[tuple[tuple[Any, ...], Places]] = (),
    ) -> BundledRun:
        """Rules about to be run over one input, until ``deadline`` (of the monotonic clock).

        Raises OpaError ``opa_clock_differs``.
        """
        apart = 0 if options.now_ns is None else abs(options.now_ns - time.time_ns())
        if self._asks_the_clock and apart > CLOCKS_DIFFER_NS:
            raise OpaError(
                "opa_clock_differs",
                "policies ask for the time, and an OPA that has them already can only tell its own",
                hint="leave out --as-of, or --opa-no-push",
            )
        embedded = self.program.start(input_, options, parts=parts)
        embedded.context.shared.deadline = deadline
        return BundledRun(self, embedded, input_, entries, options, deadline)


class BundledRun:
    """Rules run over one input by an OPA that has them already."""

    prints: Sequence[str] = ()
    """What policies print goes to OPA's own log."""
    nondeterminism: Mapping[str, Mapping[Any, Value]] = {}
    """OPA does not tell."""

    def __init__(
        self,
        engine: BundledEngine,
        embedded: Evaluation,
        input_: Any,
        entries: Sequence[Entry],
        options: Options,
        deadline: float,
    ) -> None:
        self._engine = engine
        self._embedded = embedded
        self._input = input_
        self._entries = entries
        self._options = options
        self._deadline = deadline
        self._found: dict[tuple[Any, ...], Any] = {}

    def run(self, entry: Entry) -> Outcome:
        """Run one clause; evaluation errors are part of the outcome.  Raises OpaError."""
        place, path = entry.clause.loc, entry.group.path
        try:
            found = self.value(path)
        except RegoEvalError as error:
            return Outcome((), (), place, error)
        clauses = [Location(*loc) for loc, _ in entry.group.clauses]
        if entry.group.kind == "set":
            if not isinstance(found, list):
                raise OpaError(
                    "opa_policies_differ",
                    f"the OPA at {self._engine.opa.target.url} has no rule {entry.group.name}",
                    hint="is the bundle active? Without --opa-no-push policies are pushed",
                )
            values = found if len(clauses) == 1 else self._of_clause(entry, found)
        else:
            values = [] if found is UNDEFINED or clauses[0] != place else [found]
        return Outcome(tuple(Solution(v, pointed(self._input, v)) for v in values), (), place)

    def _of_clause(self, entry: Entry, found: list[Any]) -> list[Any]:
        """The findings of one clause among those of all."""
        mine = self._elsewhere(entry)
        values = [value for value in found if value in mine]
        first = next(e for e in self._entries if e.group.path == entry.group.path)
        if first.clause.loc == entry.clause.loc:
            clauses = [e for e in self._engine.program.entries if e.group.path == entry.group.path]
            known = [value for clause in clauses for value in self._elsewhere(clause)]
            values += [value for value in found if value not in known]
        return values

    def _elsewhere(self, entry: Entry) -> list[Any]:
        """What the embedded engine finds by one clause."""
        return [solution.value for solution in self._embedded.run(entry).solutions]

    def value(self, path: tuple[Any, ...]) -> Value:
        """The document at a path below ``data``; raises ``RegoEvalError``, OpaError."""
        if path not in self._found:
            try:
                self._found[path] = self._engine.opa.document(
                    as_path(path),
                    self._input,
                    strict=self._options.strict_builtin_errors,
                    seconds=self._deadline - time.monotonic(),
                )
            except EvaluationFailed as error:
                failure = error.failure
                place = Location(failure.file, failure.row, failure.col) if failure.file else None
                self._found[path] = RegoEvalError(failure.code, failure.message, location=place)
        found = self._found[path]
        if isinstance(found, RegoEvalError):
            raise found
        return found


# --- comparing -----------------------------------------------------------------------------------


def compare_policies(opa: Opa, policies: PolicySet) -> None:
    """See that each package of a policy set consists in OPA of the very same rules.

    Texts may differ in layout and comments.  Rules that are tests do not count.  Raises
    OpaError ``opa_policies_differ``, and what reading them raises.
    """
    packages = {module.package for module in policies.modules}
    ours = Counter(_shape(module) for module in policies.modules)
    theirs: Counter[_Shape] = Counter()
    for name, text in opa.policies().items():
        module = _read(name, text)
        if module is not None and module.package in packages:
            theirs[_shape(module)] += 1
    nothing = {shape for shape in theirs if not shape[1]}
    for shape in [*(ours - theirs), *(theirs - ours)]:
        if shape in nothing:
            continue
        package = ".".join(map(str, shape[0]))
        what = "does not have" if shape in ours else "has other"
        raise OpaError(
            "opa_policies_differ",
            f"the OPA at {opa.target.url} {what} rules of the package {package} than were named",
            hint="update the bundle, or leave out --opa-no-push",
        )


def _read(name: str, text: str) -> Module | None:
    for version in (1, 0):
        try:
            return parse_module(text, name, version)
        except (RegoError, RegoErrors):
            continue
    return None


def _shape(module: Module) -> _Shape:
    """What a module means, whatever it looks like: package and imports, and its rules."""
    rules = tuple(r for r in bare(module.rules) if not _is_test(r))
    imports = sorted((repr(i.path), i.alias or "") for i in module.imports)
    kept = [i for i in imports if "'rego'" not in i[0] and "'future'" not in i[0]]
    return (*module.package, *map(str, kept)), rules


def _is_test(rule: Rule) -> bool:
    ref = rule.head.ref
    name = ref if isinstance(ref, Var) else ref.head
    return isinstance(name, Var) and name.name.startswith(("test_", "todo_test_"))


def compare_data(opa: Opa, policies: PolicySet) -> None:
    """See that the base documents in OPA are those of a policy set.

    Around packages only the keys that the policy set has are compared.  Raises OpaError
    ``opa_data_differs``, and what reading them raises.
    """
    packages = {module.package for module in policies.modules}
    around = {package[:n] for package in packages for n in range(len(package) + 1)}
    for path, value in _parts((), policies.data, around):
        if opa.document(as_path(path), UNDEFINED) != value:
            raise OpaError(
                "opa_data_differs",
                f"the OPA at {opa.target.url} has something else at data.{'.'.join(path)} than"
                " was named",
                hint="update the bundle, or leave out --opa-no-push",
            )


def _parts(
    path: tuple[str, ...], value: Any, around: set[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    if path in around and isinstance(value, Mapping):
        for key, item in value.items():
            yield from _parts((*path, key), item, around)
    else:
        yield path, value
