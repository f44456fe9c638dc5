"""A policy set, documents and a clock in, a decision out: the only place where these meet.

Every clause of a rule that the gate asks (``deny``, ``warn``, ``violation``) is run on
its own, over the release or over each artifact of its kind, with its reads recorded.
What a clause finds becomes failures; that it found nothing becomes a pass with what it
looked at; that it could not be evaluated becomes an error, which blocks.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from adjudge.canonical import digest_of
from adjudge.decision.assemble import make_decision
from adjudge.decision.model import (
    Context,
    Decision,
    Degradation,
    EngineInfo,
    Evidence,
    FailOn,
    GitInfo,
    InputInfo,
    Nondeterminism,
    Pack,
    PolicyInfo,
    RuleLocation,
    RuleResult,
    Source,
    Subject,
)
from adjudge.decision.model import Digest as SubjectDigest
from adjudge.decision.outcome import limit_evidence
from adjudge.decision.redaction import MISSING, RedactionPolicy
from adjudge.decision.values import encode_value
from adjudge.decision.waiver_file import WaiverSet
from adjudge.decision.waivers import WaiverReport, WaiverSettings, apply_waivers
from adjudge.documents.model import Document, Position, join, parent_of, split
from adjudge.errors import InputError
from adjudge.policyset.model import PolicySet, RuleSpec
from adjudge.policyset.programs import compiled
from adjudge.rego import Options, RegoEvalError
from adjudge.rego.capabilities import Capabilities, gate_capabilities
from adjudge.rego.evidence import (
    Entry,
    EvidenceProgram,
    Outcome,
    Places,
    Read,
    Solution,
    places_in,
)
from adjudge.rego.runtime.limits import DEFAULT_LIMITS, Limits
from adjudge.rego.runtime.text import to_json
from adjudge.rego.runtime.values import UNDEFINED, Value
from adjudge.version import __version__

Locate = Callable[[str], Position | None]
Progress = Callable[[int, int], None]
"""Told how many rules were run, of how many."""

MAX_EVIDENCE = 20
"""Evidence kept of one result."""

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


def evaluate(
    judge: Judge,
    case: Case,
    settings: Settings,
    progress: Progress | None = None,
    engine: Engine | None = None,
) -> Judgement:
    """Judge a case, by the embedded engine or another.

    Raises nothing about the policies or the documents: what goes wrong while rules run is an
    error result.  Another engine that fails raises ``AdjudgeError``.
    """
    run = Run(judge, case, settings, progress, engine)
    results = tuple(run.results())
    subjects = tuple(subjects_of(case.release, case.release_digest, case.documents))
    report = None
    if settings.waivers is not None:
        results, report = apply_waivers(
            results,
            settings.waivers,
            settings.now_ns,
            subjects=subjects,
            settings=settings.waiver_settings,
        )
    policies = judge.policies
    decision = make_decision(
        time_ns=settings.now_ns,
        results=results,
        subject=subjects,
        policy=PolicyInfo(
            name=policies.name,
            digest=policies.digest,
            revision=policies.revision,
            packs=tuple(Pack(name=p) for p in policies.packs),
        ),
        engine=run.engine.info.model_copy(
            update={"capabilities_digest": _capabilities_digest(judge.capabilities)}
        ),
        input=_input_info(judge, case, settings),
        context=_context(case, settings),
        degradations=[*case.degradations, *run.engine.degradations],
        nondeterminism=run.nondeterminism(),
        timings=settings.timings,
        entropy=settings.entropy,
    )
    return Judgement(decision, report, run.excerpts(decision), tuple(run.prints))


class Run:
    """One evaluation of all rules."""

    def __init__(
        self,
        judge: Judge,
        case: Case,
        settings: Settings,
        progress: Progress | None,
        engine: Engine | None = None,
    ) -> None:
        self.progress = progress
        self.judge = judge
        self.engine: Engine = engine or Embedded(judge)
        self.case = case
        self.settings = settings
        self.prints: list[str] = []
        # One for all inputs: many artifacts must not take many times as long as allowed.
        self._deadline = time.monotonic() + settings.limits.seconds
        self._running: list[Running] = []
        self._places: dict[Document, Places] = {}
        self._evidence: dict[tuple[Document | None, str], Evidence] = {}
        self._by_path = {d.path: d for d in case.documents}

    def results(self) -> Iterator[RuleResult]:
        """The results of every rule, in no particular order."""
        scopes = self.scopes()
        entries = self.judge.entries
        for done, (spec, entry) in enumerate(entries):
            if self.progress is not None:
                self.progress(done, len(entries))
            kinds = set(spec.applies_to)
            if kinds == {RUNTIME} and not self.case.raw:
                continue
            matching = [s for s in scopes if s.concerns(spec)]
            for scope in matching:
                yield from scope.results(spec, entry)
            if not matching:
                yield _result(
                    spec,
                    outcome="not_applicable",
                    message=f"the release has no {' or '.join(sorted(kinds - {RUNTIME}))}",
                )
        for running in self._running:
            self.prints.extend(running.prints)

    def scopes(self) -> list[Scope]:
        """The inputs that rules are run over: the release, then each artifact."""
        artifacts: list[Scope] = [
            _ArtifactScope(self, d, raw=self.case.raw) for d in self.case.documents
        ]
        return artifacts if self.case.raw else [_ReleaseScope(self), *artifacts]

    def places(self, document: Document) -> Places:
        """Where the arrays and objects of a document stand; found once for all scopes."""
        found = self._places.get(document)
        if found is None:
            found = self._places[document] = places_in(document.as_input())
        return found

    def start(self, scope: Scope) -> Running:
        """A fresh evaluation of the rules that concern an input."""
        options = Options(
            now_ns=self.settings.now_ns,
            seed=self.settings.now_ns.to_bytes(12, "big", signed=True),
            strict_builtin_errors=self.settings.strict_builtin_errors,
            limits=self.settings.limits,
        )
        entries = [entry for spec, entry in self.judge.entries if scope.concerns(spec)]
        running = self.engine.start(scope.input, entries, options, self._deadline, scope.parts())
        self._running.append(running)
        return running

    def evidence(self, place: Place, read: Any) -> Evidence:
        """The evidence for one value; made once, as digesting a large value takes time."""
        key = (place.document, place.pointer)
        found = self._evidence.get(key)
        if found is None:
            value = MISSING if read is UNDEFINED else to_json(read)
            found = self.settings.redaction.evidence(
                place.artifact, place.pointer, value, place.source
            )
            self._evidence[key] = found
        return found

    def nondeterminism(self) -> list[Nondeterminism]:
        """The answers of builtins that are no functions of their arguments, once each."""
        found: dict[tuple[str, str], Nondeterminism] = {}
        for running in self._running:
            for name, answers in running.nondeterminism.items():
                for key, value in answers.items():
                    if value is UNDEFINED:
                        continue
                    arguments = encode_value(to_json(key.value))
                    entry = Nondeterminism(
                        builtin=name, arguments=arguments, result=encode_value(to_json(value))
                    )
                    found[name, str(arguments)] = entry
        return [found[k] for k in sorted(found)]

    def excerpts(self, decision: Decision) -> dict[tuple[str, int], str]:
        """The source lines that the results and their evidence point at."""
        out: dict[tuple[str, int], str] = {}
        for result in decision.results:
            if result.outcome in ("pass", "not_applicable"):
                continue
            places = [result.source, *(e.source for e in result.evidence)]
            for place in places:
                if place is None or (place.file, place.line) in out:
                    continue
                text = self._excerpt(place, result.artifact)
                if text is not None:
                    out[place.file, place.line] = text
        return out

    def _excerpt(self, place: Source, artifact: str | None) -> str | None:
        position = Position(place.file, place.line, place.column)
        candidates = [self._by_path[artifact]] if artifact in self._by_path else []
        candidates += [d for d in self.case.documents if d not in candidates]
        for document in candidates:
            text = document.line_at(position)
            if text is not None:
                return text
        return None


class Scope:
    """One input and the rules run over it."""

    artifact: str | None = None
    kind: str = RELEASE

    def __init__(self, run: Run, input_: Any) -> None:
        self.run = run
        self.input = input_
        self._running: Running | None = None

    def concerns(self, spec: RuleSpec) -> bool:
        """Whether a rule is run over this input; of raw input, every rule is."""
        return self.run.case.raw or self.kind in spec.applies_to

    def parts(self) -> list[tuple[tuple[Any, ...], Places]]:
        """The documents within the input, each with its path there."""
        return []

    def results(self, spec: RuleSpec, entry: Entry) -> Iterator[RuleResult]:
        """Run one rule: a result for each finding, or one that says there is none."""
        if self._running is None:
            self._running = self.run.start(self)
        if not self._applicable(entry):
            yield _result(
                spec,
                outcome="not_applicable",
                artifact=self.artifact,
                message="excluded by the policy's own condition",
            )
            return
        outcome = self._running.run(entry)
        if outcome.error is not None:
            yield self._error(spec, outcome)
            return
        findings = list(self._findings(spec, entry, outcome))
        if findings:
            yield from findings
        else:
            evidence, omitted = self._evidence(outcome.reads, None)
            yield _result(
                spec,
                outcome="pass",
                artifact=self.artifact,
                evidence=evidence,
                evidence_omitted=omitted,
            )

    def _applicable(self, entry: Entry) -> bool:
        """Whether the package's rule ``applicable``, if it has one, says so.

        A condition that cannot be evaluated does not excuse the rule from running.
        """
        path = (*entry.group.path[:-1], "applicable")
        assert self._running is not None
        if not self.run.judge.has_rule(path):
            return True
        try:
            return self._running.value(path) is True
        except RegoEvalError:
            return True

    def _error(self, spec: RuleSpec, outcome: Outcome) -> RuleResult:
        error = outcome.error
        assert error is not None
        evidence, omitted = self._evidence(outcome.reads, None)
        return _result(
            spec,
            outcome="error",
            message=self.run.settings.redaction.redact_text(str(error)),
            artifact=self.artifact,
            evidence=evidence,
            evidence_omitted=omitted,
            source=next((e.source for e in evidence if e.source), None),
        )

    def _findings(self, spec: RuleSpec, entry: Entry, outcome: Outcome) -> Iterator[RuleResult]:
        for solution in outcome.solutions:
            if entry.group.kind == "set":
                yield self._finding(spec, solution.value, solution)
                continue
            # A complete rule: its one value says it all.
            value = solution.value
            if value is False:
                continue
            if value is True:
                yield self._finding(spec, spec.title, solution)
            elif isinstance(value, list):
                for item in value:
                    yield self._finding(spec, item, solution)
            else:
                yield self._finding(spec, value, solution)

    def _finding(self, spec: RuleSpec, value: Any, solution: Solution) -> RuleResult:
        redaction = self.run.settings.redaction
        kind = spec.kind
        if kind == "deny" and not spec.effective(self.run.settings.now_ns):
            kind = "warn"
        parts = _parts(value)
        artifact, pointer, source = self._about(parts.pointer if parts else None)
        evidence, omitted = self._evidence(solution.reads, pointer)
        artifact = artifact or _artifact_of(evidence)
        source = source or next((e.source for e in evidence if e.source), None)
        if parts is None:
            return _result(
                spec,
                outcome="error",
                message=f"an element of {spec.name} must be a string, or an object with msg; "
                f"this rule gave {redaction.redact_text(_short(value))}",
                artifact=artifact,
                evidence=evidence,
                evidence_omitted=omitted,
                source=source,
            )
        return _result(
            spec,
            outcome="fail" if kind == "deny" else "warn",
            message=redaction.redact_text(parts.message) or spec.title,
            remediation=parts.remediation,
            artifact=artifact,
            pointer=pointer,
            source=source,
            details=redaction.details(parts.details),
            evidence=evidence,
            evidence_omitted=omitted,
        )

    def _evidence(
        self, reads: Iterable[Read], first: str | None
    ) -> tuple[tuple[Evidence, ...], int]:
        places = [(self._read_at(read), read.value) for read in reads]
        # A group of artifacts and the list of all of them are two ways to one artifact.
        passed = {
            (place.document, above) for place, _ in places for above in _enclosing(place.pointer)
        }
        found = [
            self.run.evidence(place, value)
            for place, value in places
            if (place.document, place.pointer) not in passed
        ]
        return limit_evidence(found, MAX_EVIDENCE, first=first)

    def _read_at(self, read: Read) -> Place:
        if read.root == "data":
            return Place(None, join("/data", *read.path), None)
        return self.place(read.path)

    def _about(self, pointer: str | None) -> tuple[str | None, str | None, Source | None]:
        """The artifact, the pointer into it and the place that a policy's pointer is about."""
        if pointer is None:
            return self.artifact, None, None
        place = self.place(split(f"/{pointer.removeprefix('/')}"))
        return self.artifact or place.artifact, place.pointer, place.source

    def place(self, path: Sequence[Any]) -> Place:
        """Which artifact a path of the input belongs to, its pointer there, and where in a
        file that stands."""
        raise NotImplementedError  # pragma: no cover - abstract

    def _in_manifest(self, path: Sequence[Any]) -> Place:
        pointer = join("", *path)
        locate = self.run.case.locate_release
        return Place(None, pointer, _source(locate(pointer) if locate is not None else None))


class _ArtifactScope(Scope):
    def __init__(self, run: Run, document: Document, *, raw: bool) -> None:
        self.document = document
        self.raw = raw
        self.artifact = document.path
        self.kind = document.kind
        if raw:
            super().__init__(run, document.document)
        else:
            super().__init__(run, {**document.as_input(), "release": run.case.release})

    def parts(self) -> list[tuple[tuple[Any, ...], Places]]:
        return [] if self.raw else [((), self.run.places(self.document))]

    def place(self, path: Sequence[Any]) -> Place:
        if path and path[0] == "release" and not self.raw:
            return self._in_manifest(path)
        pointer = join("/document" if self.raw else "", *path)
        return Place(self.document, pointer, _source(self.document.locate(pointer)))


class _ReleaseScope(Scope):
    def __init__(self, run: Run) -> None:
        super().__init__(run, run.case.release_input)
        self._documents = {id(d.as_input()): d for d in run.case.documents}

    def parts(self) -> list[tuple[tuple[Any, ...], Places]]:
        documents = self.run.case.documents
        return [(("artifacts", n), self.run.places(d)) for n, d in enumerate(documents)]

    def place(self, path: Sequence[Any]) -> Place:
        document = self._document(path)
        if document is None:
            return self._in_manifest(path)
        pointer = join("", *path[2:])
        return Place(document, pointer, _source(document.locate(pointer)))

    def _document(self, path: Sequence[Any]) -> Document | None:
        """The artifact at ``artifacts/N``, or in a group such as ``model_cards/N``: the groups
        hold the same dicts."""
        group = self.input.get(path[0]) if len(path) >= 2 else None
        index = str(path[1]) if len(path) >= 2 else ""
        # No longer than an index can be: a policy may have made the pointer of anything.
        if not isinstance(group, list) or not re.fullmatch("[0-9]{1,9}", index):
            return None
        return self._documents.get(id(group[int(index)])) if int(index) < len(group) else None


@dataclass(frozen=True, slots=True)
class _Parts:
    message: str
    pointer: str | None = None
    details: Any = None
    remediation: str = ""


def _parts(value: Any) -> _Parts | None:
    """What an element of ``deny`` says; None when it is neither a string nor an object
    with a message."""
    if isinstance(value, str):
        return _Parts(value)
    if not isinstance(value, dict):
        return None
    message = value.get("msg", value.get("message"))
    if not isinstance(message, str):
        return None
    pointer = value.get("pointer")
    remediation = value.get("remediation")
    details = value.get("details")
    if details is None:
        rest = {
            k: v
            for k, v in value.items()
            if k not in ("msg", "message", "pointer", "remediation", "details")
        }
        details = rest or None
    return _Parts(
        message,
        pointer if isinstance(pointer, str) and pointer else None,
        details,
        remediation if isinstance(remediation, str) else "",
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _result(spec: RuleSpec, **members: Any) -> RuleResult:
    members["remediation"] = members.get("remediation") or spec.remediation
    return RuleResult(
        rule_id=spec.id,
        package=spec.package,
        title=spec.title,
        severity=spec.severity,
        controls=tuple(spec.controls),
        location=RuleLocation(file=spec.location.file, row=max(spec.location.row, 1)),
        **members,
    )


def _enclosing(pointer: str) -> Iterator[str]:
    """The pointers to everything around what a pointer points at."""
    while pointer:
        pointer = parent_of(pointer)
        yield pointer


def _artifact_of(evidence: Sequence[Evidence]) -> str | None:
    """The one artifact all evidence is about, if it is one."""
    paths = {e.artifact for e in evidence if e.artifact is not None}
    return paths.pop() if len(paths) == 1 else None


def _source(position: Position | None) -> Source | None:
    if position is None:
        return None
    return Source(file=position.file, line=position.line, column=position.column)


def subjects_of(
    release: Mapping[str, Any], digest: str | None, documents: Iterable[Document]
) -> Iterator[Subject]:
    """What a decision about a release is about: itself, and each of its artifacts."""
    name = str(release.get("name") or "release")
    version = release.get("version")
    yield Subject(
        name=f"{name}@{version}" if version else name,
        kind=RELEASE,
        digest=SubjectDigest(sha256=digest) if digest else None,
    )
    for document in documents:
        yield Subject(
            name=document.path.rsplit("/", 1)[-1],
            kind=document.kind,
            path=document.path,
            digest=SubjectDigest(sha256=document.digest),
        )


def _input_info(judge: Judge, case: Case, settings: Settings) -> InputInfo:
    parts = {
        "release": encode_value(dict(case.release)),
        "artifacts": [
            {"path": d.path, "kind": d.kind, "sha256": d.digest}
            for d in sorted(case.documents, key=lambda d: (d.path, d.kind))
        ],
        "git": encode_value(dict(case.git)) if case.git else None,
        "event": case.event,
    }
    return InputInfo(
        digest=digest_of(parts),
        data_digest=digest_of(encode_value(judge.policies.data)),
        waivers_digest=settings.waivers_digest,
        trust_root_digest=settings.trust_root_digest,
    )


def _capabilities_digest(capabilities: Capabilities) -> str:
    return digest_of(sorted(set(capabilities.builtins) - capabilities.withheld))


def _context(case: Case, settings: Settings) -> Context:
    git = case.git
    commit = git.get("commit") if git else None
    return Context(
        fail_on=settings.fail_on,
        tenant=_text(case.release.get("tenant")),
        environment=_text(case.release.get("environment")),
        event=case.event,
        git=GitInfo(commit=str(commit), ref=_text(git.get("ref")), dirty=bool(git.get("dirty")))
        if git and commit
        else None,
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
