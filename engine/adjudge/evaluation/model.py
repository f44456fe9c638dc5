"""Policies compiled with their evidence, what is judged and how, and who runs the rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from adjudge.decision.model import (
    Decision,
    Degradation,
    EngineInfo,
    FailOn,
    Source,
)
from adjudge.decision.redaction import RedactionPolicy
from adjudge.decision.waiver_file import WaiverSet
from adjudge.decision.waivers import WaiverReport, WaiverSettings
from adjudge.documents.model import Document, Position
from adjudge.errors import InputError
from adjudge.policyset.model import PolicySet, RuleSpec
from adjudge.policyset.programs import compiled
from adjudge.rego import Options
from adjudge.rego.capabilities import Capabilities, gate_capabilities
from adjudge.rego.evidence import (
    Entry,
    EvidenceProgram,
    Outcome,
    Places,
)
from adjudge.rego.runtime.limits import DEFAULT_LIMITS, Limits
from adjudge.rego.runtime.values import Value
from adjudge.version import __version__

Locate = Callable[[str], Position | None]
Progress = Callable[[int, int], None]
"""Told how many rules were run, of how many."""

RELEASE = "release"
RUNTIME = "runtime"


class Place(NamedTuple):
    """The artifact a value belongs to (None: the release itself, or data), a pointer into it,
    and where that stands in a file."""

    document: Document | None
    pointer: str
    source: Source | None

    @property
    def artifact(self) -> str | None:
        """The path of the artifact.  Two artifacts may have one: weights and their signature."""
        return self.document.path if self.document is not None else None


class Judge:
    """A policy set, compiled with its evidence; immutable and safe to share between threads.

    Raises ``RegoErrors`` when the policies do not compile.
    """

    def __init__(self, policies: PolicySet, capabilities: Capabilities | None = None) -> None:
        self.policies = policies
        self.capabilities = capabilities or gate_capabilities()
        program = compiled(
            {m.file: m for m in policies.modules},
            data=policies.data,
            capabilities=self.capabilities,
        )
        self.program = program
        self.evidence = EvidenceProgram(program)

    @cached_property
    def entries(self) -> list[tuple[RuleSpec, Entry]]:
        """The rules that count, each with the clause that it is.

        Raises InputError ``rule_not_found`` when a rule has no clause: a rule that cannot
        run must not pass for one that found nothing.
        """
        by_place = {e.clause.loc: e for e in self.evidence.entries}
        found = []
        for spec in self.policies.rules:
            entry = by_place.get(spec.location)
            if entry is None:
                raise InputError(
                    "rule_not_found",
                    f"the rule {spec.id} stands nowhere in the compiled policies",
                    location=spec.location,
                )
            found.append((spec, entry))
        return found

    def has_rule(self, path: tuple[Any, ...]) -> bool:
        """Whether the policies define a rule at ``path`` below ``data``."""
        return path in self._paths

    @cached_property
    def _paths(self) -> frozenset[tuple[Any, ...]]:
        return frozenset(g.path for g in self.program.groups)


class Running(Protocol):
    """Rules run over one input."""

    def run(self, entry: Entry) -> Outcome:
        """Run one clause; evaluation errors are part of the outcome."""

    def value(self, path: tuple[Any, ...]) -> Value:
        """The value of a rule that takes no part itself, such as ``applicable``; raises
        ``RegoEvalError``."""

    @property
    def prints(self) -> Sequence[str]:
        """What rules printed."""

    @property
    def nondeterminism(self) -> Mapping[str, Mapping[Any, Value]]:
        """The answers of builtins that are no functions of their arguments, by builtin and
        arguments."""


class Engine(Protocol):
    """What runs rules: the embedded engine, or another one that holds the same policies.

    An engine that fails raises ``AdjudgeError``: then there is no verdict.
    """

    @property
    def info(self) -> EngineInfo:
        """What the record calls it."""

    @property
    def degradations(self) -> Sequence[Degradation]:
        """What it cannot give."""

    def start(
        self,
        input_: Any,
        entries: Sequence[Entry],
        options: Options,
        deadline: float,
        parts: Sequence[tuple[tuple[Any, ...], Places]],
    ) -> Running:
        """``entries`` about to be run over one input, until ``deadline`` (monotonic clock).

        ``parts`` are the documents within the input, each with its path there.
        """


class Embedded:
    """The engine that is part of adjudge."""

    info = EngineInfo(name="adjudge", version=__version__)
    degradations: Sequence[Degradation] = ()

    def __init__(self, judge: Judge) -> None:
        self._program = judge.evidence

    def start(
        self,
        input_: Any,
        entries: Sequence[Entry],
        options: Options,
        deadline: float,
        parts: Sequence[tuple[tuple[Any, ...], Places]],
    ) -> Running:
        """A fresh evaluation; rules that entries share are run once."""
        evaluation = self._program.start(input_, options, parts=parts)
        evaluation.context.shared.deadline = deadline
        return evaluation


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged.

    ``release_input`` is what release rules see; its ``artifacts`` hold the very dicts of
    ``documents`` (``Document.as_input``), so that evidence finds its way back to files.
    ``locate_release`` places a pointer into it in the manifest.
    """

    documents: Sequence[Document]
    release: Mapping[str, Any]
    release_input: Mapping[str, Any]
    release_digest: str | None = None
    locate_release: Locate | None = None
    git: Mapping[str, Any] | None = None
    event: str | None = None
    degradations: Sequence[Degradation] = ()
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """How it is judged.

    ``now_ns`` is the evaluation time, nanoseconds since 1970.  The steps and sizes of
    ``limits`` hold for each input, its seconds for all of them together.
    """

    now_ns: int
    fail_on: FailOn = "deny"
    waivers: WaiverSet | None = None
    waivers_digest: str | None = None
    waiver_settings: WaiverSettings | None = None
    redaction: RedactionPolicy = field(default_factory=RedactionPolicy)
    limits: Limits = DEFAULT_LIMITS
    strict_builtin_errors: bool = True
    trust_root_digest: str | None = None
    entropy: bytes | None = None
    timings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision, and what its reports need besides: waivers, excerpts, printed lines."""

    decision: Decision
    waivers: WaiverReport | None
    excerpts: Mapping[tuple[str, int], str]
    prints: tuple[str, ...] = ()
