"""A folder or files in, the plan of what is judged as what out, with what was left out and why.

Nothing is loaded here.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adjudge.decision.model import Degradation
from adjudge.documents import detect as detection
from adjudge.documents import registry
from adjudge.documents.model import Limits
from adjudge.documents.prompt_bundle_files import CONFIG_NAMES
from adjudge.documents.reading import Source
from adjudge.documents.signed_artifact import MODEL_SIGNATURES, SIGNATURE_SUFFIXES
from adjudge.errors import InputError, UsageError
from adjudge.gate.manifest import Entry, Manifest, references, report
from adjudge.gate.patterns import is_pattern, matching

SIGNED: Final = "signed_artifact"
_LISTED: Final = 100
"""Paths listed in a degradation; more are only counted."""

_VERSION_CONTROL: Final = (".git", ".hg", ".svn")
_EXPECTED: Final = ("part of ", "read with ", "version control", "a signature of ")


@dataclass(frozen=True)
class Planned:
    """One artifact that is to be loaded.

    ``reason`` says why it is judged as this kind.  ``signature`` names the one signature file
    to look at; without it those found by name count.  An artifact that is not ``listed`` is
    loaded only for its signatures.  ``pointer`` is its entry in the manifest.
    """

    kind: str
    source: Source
    reason: str
    name: str | None = None
    signature: Source | None = None
    key: str | None = None
    pointer: str | None = None
    listed: bool = True

    @property
    def identity(self) -> tuple[str, str]:
        """What makes two plans the same."""
        return self.kind, self.source.relative


@dataclass
class Selection:
    """What is judged, and the account of how that came about.

    ``detection`` has an entry ``{path, kind, reason, judged}`` for everything looked at.
    """

    planned: list[Planned] = field(default_factory=list)
    detection: list[dict[str, Any]] = field(default_factory=list)
    degradations: list[Degradation] = field(default_factory=list)
    _known: set[tuple[str, str]] = field(default_factory=set)

    def add(self, plan: Planned) -> None:
        """Take an artifact into the plan, once."""
        if plan.identity not in self._known:
            self._known.add(plan.identity)
            self.planned.append(plan)
            if plan.listed:
                self.note(plan.source.shown, plan.kind, plan.reason, judged=True)

    def note(self, path: str, kind: str | None, reason: str, *, judged: bool) -> None:
        """Account for something that was looked at."""
        self.detection.append({"path": path, "kind": kind, "reason": reason, "judged": judged})

    def degrade(self, code: str, message: str, items: Iterable[Any] = ()) -> None:
        """Note that something was done less well than it could be."""
        listed = list(items)
        detail: Any = listed[:_LISTED] or None
        if len(listed) > _LISTED:
            detail = {"count": len(listed), "first": listed[:_LISTED]}
        self.degradations.append(Degradation(code=code, message=message, detail=detail))

    def finish(self) -> Selection:
        """Put everything into a fixed order; returns itself."""
        self.planned.sort(key=lambda p: (p.source.shown, p.kind))
        self.detection.sort(key=lambda d: (d["path"], d["kind"] or ""))
        return self


# --- files that were named ------------------------------------------------------------------------


def select_files(sources: Sequence[Source], kinds: Mapping[str, str]) -> Selection:
    """The plan for files (or directories) somebody named.

    ``kinds`` maps patterns of paths to the kind to judge them as; ``*`` alone is for all.
    Raises InputError ``unknown_file_kind`` and what opening raises.
    """
    selection = Selection()
    for source in sources:
        forced = _forced(source.relative, kinds)
        if forced is not None:
            if source.type() is None:
                raise source.error("file_not_found", f"{source.shown} does not exist")
            selection.add(Planned(forced, source, "named on the command line"))
            continue
        candidate = detection.kind_of_file(source)
        if candidate is None:
            raise source.error(
                "unknown_file_kind",
                f"nothing about {source.shown} says what kind of artifact it is",
                hint="say it with --kind: one of " + ", ".join(registry.KINDS),
            )
        selection.add(Planned(candidate.kind, candidate.source, candidate.reason))
    for plan in list(selection.planned):
        for also in _beside(plan):
            selection.add(also)
    return selection.finish()


def _forced(path: str, kinds: Mapping[str, str]) -> str | None:
    for pattern, kind in kinds.items():
        if pattern == "*" or pattern == path or matching(pattern, [path]):
            return registry.kind_of(kind).name
    return None


def _signatures_of(plan: Planned, *, listed: bool = False) -> Planned | None:
    """The signed artifact for signatures that the manifest names or that stand beside."""
    if plan.kind == SIGNED:
        return None
    reason = "the manifest names its signature"
    if plan.signature is None:
        beside = _signature_beside(plan.source)
        if beside is None:
            return None
        reason = f"{beside.shown} is a signature of it"
    return Planned(
        SIGNED,
        plan.source,
        reason,
        name=plan.name,
        signature=plan.signature,
        key=plan.key,
        pointer=plan.pointer,
        listed=listed,
    )


def _signature_beside(source: Source) -> Source | None:
    return next(_signatures_beside(source), None)


def _signatures_beside(source: Source) -> Iterator[Source]:
    inside = [source.child(name) for name in MODEL_SIGNATURES]
    beside = [source.sibling(source.name + suffix) for suffix in SIGNATURE_SUFFIXES]
    found = beside if source.relative not in ("", ".") else []
    if source.type() == "directory":
        found = [*inside, *found]
    for candidate in found:
        try:
            if candidate.type() == "file":
                yield candidate
        except InputError:
            continue  # a link out of the folder signs nothing


def _beside(plan: Planned, *, listed: bool = False) -> Iterator[Planned]:
    """What is judged because of an artifact: its signatures, and what signed statements about it
    say beyond that they are genuine."""
    signed = _signatures_of(plan, listed=listed)
    if signed is not None:
        yield signed
    for source in [plan.signature] if plan.signature else list(_signatures_beside(plan.source)):
        kind = detection.evidence_in(source)
        if kind is not None:
            reason = f"it holds statements about {plan.source.shown}"
            yield Planned(kind, source, reason, listed=listed)


# --- a folder -------------------------------------------------------------------------------------


def select_detected(
    root: Path, kinds: Mapping[str, str], limits: Limits, belonging: Collection[str] = ()
) -> Selection:
    """The plan for a folder without a manifest, or with one that lists no artifacts.

    ``belonging`` are files with another part to play, such as the manifest.
    """
    selection = Selection()
    found = detection.detect(root, limits=limits)
    whole = _whole_bundle(root, found)
    candidates = [whole] if whole is not None else found.candidates
    _force(selection, root, kinds, limits)
    taken = {p.source.relative for p in selection.planned}
    for candidate in candidates:
        path = candidate.source.relative
        if path not in belonging and (path not in taken or candidate.kind == SIGNED):
            selection.add(Planned(candidate.kind, candidate.source, candidate.reason))
    for plan in list(selection.planned):
        for also in _beside(plan, listed=True):
            if also.kind != SIGNED:
                selection.add(also)
    judged = {p.source.shown for p in selection.planned}
    unknown = []
    for skipped in found.skipped:
        if skipped.path not in belonging and skipped.path not in judged:
            selection.note(skipped.path, None, skipped.reason, judged=False)
            if not skipped.reason.startswith(_EXPECTED):
                unknown.append({"path": skipped.path, "reason": skipped.reason})
    if unknown:
        selection.degrade("files_skipped", f"{len(unknown)} files were not judged", unknown)
    if found.truncated:
        selection.degrade("search_truncated", "the folder has more files than were looked at")
    return selection.finish()


def _whole_bundle(root: Path, found: detection.Detection) -> detection.Candidate | None:
    """The folder itself, when it is a prompt bundle and nothing else."""
    if len(found.candidates) != 1:
        return None
    only = found.candidates[0]
    if only.kind != "prompt_bundle" or only.source.relative not in CONFIG_NAMES:
        return None
    if not only.reason.startswith("a directory"):
        return None
    return detection.Candidate(only.kind, Source(root, "."), only.reason)


def _force(selection: Selection, root: Path, kinds: Mapping[str, str], limits: Limits) -> None:
    """Plan what the operator says the kind of."""
    if not kinds:
        return
    names = _names(root, limits)
    for pattern, kind in kinds.items():
        found = matching(pattern, names)
        if not found:
            raise UsageError(
                "kind_matches_nothing",
                f"--kind {pattern}={kind} fits no file",
                hint="patterns are relative to the judged folder; * fits no slash",
            )
        for path in found:
            known = registry.kind_of(kind).name
            selection.add(Planned(known, Source(root, path), "named on the command line"))


def _names(root: Path, limits: Limits) -> list[str]:
    """Every file and folder below the root; folders of version control are left out."""
    walk = Source(root, ".").walk(limits, lambda n: n if n in _VERSION_CONTROL else None)
    names: set[str] = set()
    for entry in walk.entries:
        path = entry.source.relative
        while path and path not in names:
            names.add(path)
            path = os.path.dirname(path)
    return sorted(names)


def add_approvals(selection: Selection, manifest: Manifest, root: Path) -> None:
    """Take the approvals that the manifest names into the plan, those that are statements."""
    for path, pointer in manifest.approvals:
        source = Source(root, path)
        if detection.evidence_in(source) is not None:
            reason = "the manifest names it as an approval"
            selection.add(Planned("approval", source, reason, pointer=pointer))
    selection.finish()


# --- a manifest -----------------------------------------------------------------------------------


def select_listed(
    manifest: Manifest, root: Path, kinds: Mapping[str, str], limits: Limits
) -> Selection:
    """The plan for a folder whose manifest lists its artifacts.

    What is wrong is added to the errors of the manifest.  Documents that are there and not
    listed are not judged; that is noted.
    """
    selection = Selection()
    found = detection.detect(root, limits=limits)
    reader = _ListReader(manifest, root, limits, found)
    _force(selection, root, kinds, limits)
    for entry in manifest.entries:
        for plan in reader.plans(entry):
            selection.add(plan)
    for plan in list(selection.planned):
        for also in _beside(plan, listed=True):
            selection.add(also)
    if reader.absent:
        message = f"{len(reader.absent)} optional artifacts are not there"
        selection.degrade("artifact_missing", message, reader.absent)
    _note_unlisted(selection, manifest, found)
    return selection.finish()


def _note_unlisted(selection: Selection, manifest: Manifest, found: detection.Detection) -> None:
    """Say which documents are in the folder and not in the manifest."""
    listed = {p.source.relative for p in selection.planned}
    folders = tuple(f"{p.source.relative}/" for p in selection.planned if p.kind != SIGNED)
    named = {posixpath.normpath(r["path"]) for _, r in references(manifest.value) if "path" in r}
    unlisted = []
    for candidate in found.candidates:
        path = candidate.source.relative
        if path not in listed | named and not path.startswith(folders):
            selection.note(
                candidate.path, candidate.kind, f"not listed: {candidate.reason}", judged=False
            )
            unlisted.append({"path": candidate.path, "kind": candidate.kind})
    if unlisted:
        message = f"{len(unlisted)} artifacts are not listed in the manifest and not judged"
        selection.degrade("artifact_unlisted", message, unlisted)
    if found.truncated:
        selection.degrade("search_truncated", "the folder has more files than were looked at")


class _ListReader:
    """Finds the files that the entries of a manifest mean."""

    def __init__(
        self, manifest: Manifest, root: Path, limits: Limits, found: detection.Detection
    ) -> None:
        self.manifest = manifest
        self.root = root
        self.limits = limits
        self.absent: list[str] = []
        self._names: list[str] | None = None
        self._detected: dict[str, detection.Candidate] = {}
        for candidate in found.candidates:
            if candidate.kind != SIGNED:
                self._detected[candidate.source.relative] = candidate

    def plans(self, entry: Entry) -> list[Planned]:
        """The artifacts of one entry."""
        plans = []
        for path in self.paths(entry.path, f"{entry.pointer}/path", entry.optional):
            source = Source(self.root, path)
            try:
                plan = self._plan(entry, source)
            except InputError as error:
                report(self.manifest, error, source, f"{entry.pointer}/path")
                continue
            if plan is not None:
                plans.append(plan)
        return plans

    def paths(self, path: str, pointer: str, optional: bool = False) -> list[str]:
        """The files and folders that a path or pattern means."""
        source = Source(self.root, path)
        try:
            if source.type() is not None:
                return [path]
        except InputError as error:
            report(self.manifest, error, source, pointer)
            return []
        if is_pattern(path):
            if self._names is None:
                self._names = _names(self.root, self.limits)
            found = matching(path, self._names)
            if found:
                return found
        if optional:
            self.absent.append(path)
        elif is_pattern(path):
            self.manifest.structure.add("missing_file", f"{path} fits no file", pointer)
        else:
            missing = source.error("file_not_found", "")
            report(self.manifest, missing, source, pointer)
        return []

    def _plan(self, entry: Entry, source: Source) -> Planned | None:
        kind, reason = entry.kind, "the manifest says so"
        if kind is None:
            candidate = self._detected.get(source.relative) or detection.kind_of_file(source)
            if candidate is None:
                self.manifest.structure.add(
                    "kind_unknown",
                    f"nothing about {source.shown} says what kind of artifact it is",
                    f"{entry.pointer}/path",
                    "add kind: one of " + ", ".join(registry.KINDS),
                )
                return None
            kind, source, reason = candidate.kind, candidate.source, candidate.reason
        signature = self._signature(entry)
        return Planned(
            kind,
            source,
            reason,
            name=entry.name,
            signature=signature,
            key=entry.key,
            pointer=entry.pointer,
        )

    def _signature(self, entry: Entry) -> Source | None:
        if entry.signature is None:
            return None
        source = Source(self.root, entry.signature)
        pointer = f"{entry.pointer}/signature"
        try:
            source.open().close()
        except InputError as error:
            report(self.manifest, error, source, pointer)
        return source
