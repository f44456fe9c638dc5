"""A request to judge in, a report out: policies, release, git and waivers brought together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from adjudge.decision.model import Degradation, FailOn
from adjudge.documents import generic
from adjudge.documents.model import Position
from adjudge.documents.reading import Source, shown_name
from adjudge.errors import InputError
from adjudge.evaluation import Case, Engine, Judge, Judgement, Settings, evaluate
from adjudge.exports.report import Options, Report, plural
from adjudge.gate.gitcontext import git_context
from adjudge.gate.recording import Recordings, remembered
from adjudge.gate.release import Release, event_name, load_release, release_input
from adjudge.gate.trustsettings import load_trust_file
from adjudge.gate.waivers import CheckedWaivers, load_demands, load_waivers
from adjudge.policyset import (
    LoadedWaivers,
    PolicySet,
    collection_names,
    load_policy_set,
    pack_names,
)
from adjudge.rego.capabilities import Capabilities
from adjudge.rego.runtime.limits import DEFAULT_LIMITS, Limits
from adjudge.source import Location

DEFAULT_POLICIES = ("baseline",)

MAX_LISTED = 100
"""Files listed in a degradation."""

_ELSEWHERE = ("it is a Waivers", "it is a Release")
# What is said of files that have another part to play; they are not missed among the policies.

MakeEngine = Callable[[Judge], AbstractContextManager[Engine]]
"""Gives an engine for compiled policies, as long as it is needed."""

Progress = Callable[[str, int, int], None]
"""Told what is being done (``policies``, ``artifacts``, ``rules``), how far, of how much."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to judge, and how.

    ``paths`` are one folder, or files.  ``policies`` are folders, files and names of
    shipped packs and collections.  ``kinds`` maps patterns of paths to kinds.  ``as_of_ns``
    sets the clock (None: now).  ``raw`` hands rules the parsed file itself; without ``kinds``
    a folder then stands for its JSON, YAML and TOML files.  ``trust`` is the operator's file
    of trusted signers.  ``v0`` reads policies as Rego v0.
    """

    paths: Sequence[str]
    policies: Sequence[str] = DEFAULT_POLICIES
    data: Sequence[str] = ()
    waivers: str | None = None
    manifest: Path | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    trust: Path | None = None
    fail_on: FailOn = "deny"
    as_of_ns: int | None = None
    raw: bool = False
    v0: bool = False
    event: str | None = None
    base_ref: str | None = None
    limits: Limits = DEFAULT_LIMITS
    capabilities: Capabilities | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    degradations: Sequence[Degradation] = ()
    waiver_settings: Path | None = None
    """What is demanded of waivers: a file."""
    waivers_trusted: bool = False
    """Whether those who are judged cannot change the waivers."""
    record: Path | None = None
    """The folder that keeps what the decision is made of, for replays."""
    engine: MakeEngine | None = None
    """Who runs the rules (None: the embedded engine)."""


def run(request: Request, progress: Progress | None = None) -> Report:
    """Judge.  Raises ``AdjudgeError`` when there is nothing to judge, or nothing to judge
    it by, or something cannot be read: that is no verdict, and nothing is written."""
    tell = progress or (lambda what, done, of: None)
    prepared = prepare(request, tell)
    judge, case, settings = prepared.judge, prepared.case, prepared.settings
    making = request.engine(judge) if request.engine else nullcontext()
    with prepared.clock("evaluation"), making as engine:
        judgement = evaluate(
            judge, case, settings, lambda done, of: tell("rules", done, of), engine
        )
    if request.record is not None:
        recordings = Recordings(request.record)
        recordings.add(judgement.decision, judge.policies, case, settings, prepared.waivers)
    return _report(prepared.release, judgement, prepared.clock.spent)


@dataclass(frozen=True)
class Prepared:
    """A request with everything read and compiled, about to be evaluated."""

    judge: Judge
    case: Case
    settings: Settings
    release: Release
    waivers: LoadedWaivers | None
    clock: Clock


def prepare(request: Request, progress: Progress | None = None) -> Prepared:
    """Read and compile everything that a request names.  Raises ``AdjudgeError`` as
    :func:`run` does."""
    clock = Clock()
    tell = progress or (lambda what, done, of: None)
    now = time.time_ns() if request.as_of_ns is None else request.as_of_ns
    tell("policies", 0, 1)
    with clock("policies"):
        policies = load_policy_set(request.policies, data=request.data, v0=request.v0)
        judge = Judge(policies, request.capabilities)
    tell("policies", 1, 1)
    with clock("documents"):
        as_of = datetime.fromtimestamp(now / 1e9, UTC)
        paths, kinds = _paths_and_kinds(request)
        release = load_release(
            paths,
            manifest=request.manifest,
            kinds=kinds,
            trust=load_trust_file(request.trust, as_of) if request.trust else None,
            as_of=as_of,
            progress=lambda done, of, path: tell("artifacts", done, of),
        )
    checked = _waivers(request, now)
    waivers = checked.loaded if checked else None
    with clock("git"):
        git = git_context(release.root, base=request.base_ref, environ=request.environ)
    notes = [
        *request.degradations,
        *release.degradations,
        *git.degradations,
        *(checked.degradations if checked else ()),
        *_notes(request),
        *_doubts(policies),
    ]
    case = _case(request, release, git.info, now, notes)
    settings = Settings(
        now_ns=now,
        fail_on=request.fail_on,
        waivers=waivers.waivers if waivers else None,
        waivers_digest=waivers.sha256 if waivers else None,
        waiver_settings=checked.limits if checked else None,
        limits=request.limits,
        trust_root_digest=release.trust_root_digest,
    )
    return Prepared(judge, case, settings, release, waivers, clock)


def _waivers(request: Request, now: int) -> CheckedWaivers | None:
    if request.waivers is None:
        return None
    demands = load_demands(request.waiver_settings) if request.waiver_settings else None
    return load_waivers(
        request.waivers,
        demands,
        as_of=datetime.fromtimestamp(now / 1e9, UTC),
        trusted_place=request.waivers_trusted,
    )


def _paths_and_kinds(request: Request) -> tuple[list[str], Mapping[str, str]]:
    """What is loaded as what: of raw input, every file that can be parsed, as it is."""
    if not request.raw or request.kinds or request.manifest:
        return list(request.paths), request.kinds
    found: list[str] = []
    for path in request.paths:
        inside = _parseable(path) if os.path.isdir(path) else [path]
        if not inside:
            shown = shown_name(path)
            raise InputError(
                "nothing_to_judge",
                f"{shown} holds no JSON, YAML or TOML file",
                location=Location(shown, 1, 1),
            )
        found += inside
    return found, {"*": generic.KIND}


def _parseable(folder: str) -> list[str]:
    """The files of a folder that hold JSON, YAML or TOML by their names; none that is hidden."""
    walk = Source(Path(folder), ".").walk(
        ignore=lambda name: "hidden" if name.startswith(".") else None
    )
    return [
        os.path.join(folder, file.relative)
        for file in walk.files()
        if not file.name.startswith(".") and generic.format_of(file.name)
    ]


def _case(
    request: Request,
    release: Release,
    git: Mapping[str, object] | None,
    now: int,
    notes: list[Degradation],
) -> Case:
    return Case(
        documents=release.artifacts,
        release=release.info,
        release_input=release_input(
            release, git, now, request.event, request.environ, degradations=notes
        ),
        release_digest=release.digest,
        locate_release=remembered(release.locate),
        git=git,
        event=event_name(request.event, request.environ),
        degradations=notes,
        raw=request.raw,
    )


def is_shipped(name: str) -> bool:
    """Whether a name of policies means those that come with adjudge, whatever stands in the
    working directory."""
    if name.startswith(("pack:", "collection:")):
        return True
    try:
        return name in collection_names() or name in pack_names()
    except InputError:
        return False


def _notes(request: Request) -> Iterator[Degradation]:
    """What the operator overrode: it is in the decision, and policies may judge it."""
    for name in request.policies:
        if os.path.lexists(name) and is_shipped(name):
            yield Degradation(
                code="policies_name_shared",
                message=f"{name} means policies that come with adjudge; what is called so in "
                f"the working directory is not used (./{name} means that)",
            )
    if request.as_of_ns is not None:
        yield Degradation(code="clock_overridden", message="the evaluation time was given")
    if request.data:
        yield Degradation(
            code="data_injected",
            message="base documents were given beside the policies",
            detail=[os.fspath(d) for d in request.data],
        )
    if request.kinds:
        yield Degradation(
            code="kinds_forced",
            message="the kinds of some files were given, not found out",
            detail=dict(sorted(request.kinds.items())),
        )
    if request.raw:
        yield Degradation(
            code="raw_input", message="rules saw the parsed files, not facts about them"
        )


def _doubts(policies: PolicySet) -> Iterator[Degradation]:
    """What of the policies does not take part, though somebody may think that it does."""
    if not policies.rules:
        yield Degradation(
            code="no_rules",
            message="the policies have no rule that makes findings: deny, warn or violation",
        )
    skipped = [
        lint.message
        for lint in policies.lints
        if lint.code == "policy_file_skipped" and not lint.message.endswith(_ELSEWHERE)
    ]
    if skipped:
        yield Degradation(
            code="policy_files_skipped",
            message=f"{plural(len(skipped), 'file')} beside the policies took no part",
            detail=[*skipped[:MAX_LISTED]],
        )


def _report(release: Release, judgement: Judgement, timings: dict[str, int]) -> Report:
    decision = judgement.decision.model_copy(update={"timings": timings})
    excerpts = dict(judgement.excerpts)
    for result in decision.results:
        place = result.source
        if place is not None and (place.file, place.line) not in excerpts:
            text = release.excerpt(Position(place.file, place.line, place.column))
            if text is not None:
                excerpts[place.file, place.line] = text
    prefix = _prefix(release.root)
    manifest = release.manifest
    options = Options(
        path_prefix=prefix,
        fallback_path=prefix + manifest.document.path if manifest else None,
    )
    report = Report(decision=decision, excerpts=excerpts, options=options)
    if judgement.waivers is not None:
        report = replace(report, waivers=judgement.waivers)
    return report


def _prefix(root: Path) -> str:
    """From the working directory to the judged root, for annotations on a repository."""
    relative = os.path.relpath(os.path.realpath(root), os.path.realpath("."))
    return "" if relative == "." or f"{relative}/".startswith("../") else f"{relative}/"


class Clock:
    """Measures phases, in nanoseconds."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        start = time.perf_counter_ns()
        yield
        self.spent[phase] = time.perf_counter_ns() - start
