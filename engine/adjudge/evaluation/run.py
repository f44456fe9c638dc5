"""A case in, its decision out: every rule over every input it applies to."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adjudge.canonical import digest_of
from adjudge.decision.assemble import make_decision
from adjudge.decision.model import (
    Context,
    Decision,
    Evidence,
    GitInfo,
    InputInfo,
    Nondeterminism,
    Pack,
    PolicyInfo,
    RuleResult,
    Source,
    Subject,
)
from adjudge.decision.model import Digest as SubjectDigest
from adjudge.decision.redaction import MISSING
from adjudge.decision.values import encode_value
from adjudge.decision.waivers import apply_waivers
from adjudge.documents.model import Document, Position
from adjudge.evaluation.model import (
    RELEASE,
    RUNTIME,
    Case,
    Embedded,
    Engine,
    Judge,
    Judgement,
    Place,
    Progress,
    Running,
    Settings,
)
from adjudge.evaluation.scopes import ArtifactScope, ReleaseScope, Scope, result_of
from adjudge.rego import Options
from adjudge.rego.capabilities import Capabilities
from adjudge.rego.evidence import (
    Places,
    places_in,
)
from adjudge.rego.runtime.text import to_json
from adjudge.rego.runtime.values import UNDEFINED


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
                yield result_of(
                    spec,
                    outcome="not_applicable",
                    message=f"the release has no {' or '.join(sorted(kinds - {RUNTIME}))}",
                )
        for running in self._running:
            self.prints.extend(running.prints)

    def scopes(self) -> list[Scope]:
        """The inputs that rules are run over: the release, then each artifact."""
        artifacts: list[Scope] = [
            ArtifactScope(self, d, raw=self.case.raw) for d in self.case.documents
        ]
        return artifacts if self.case.raw else [ReleaseScope(self), *artifacts]

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
