"""A folder, with or without a manifest, or single files in; a loaded :class:`Release` out.

The one place where it is decided what is judged as what.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from adjudge.canonical import digest_of
from adjudge.decision.model import Degradation
from adjudge.decision.times import format_time
from adjudge.documents import registry, signed_artifact
from adjudge.documents.model import DEFAULT_LIMITS, Document, Limits, Position
from adjudge.documents.reading import Source, shown_name
from adjudge.errors import AdjudgeError, ErrorList, InputError, UsageError
from adjudge.gate.joining import join
from adjudge.gate.manifest import (
    Manifest,
    digest_of_file,
    find_manifest,
    read_manifest,
    references,
    release_info,
)
from adjudge.gate.selection import (
    SIGNED,
    Planned,
    Selection,
    add_approvals,
    select_detected,
    select_files,
    select_listed,
)
from adjudge.gate.trustsettings import (
    ReleaseTrust,
    trust_files,
    trust_for,
    trusted_root_digest,
)
from adjudge.gate.vulnerabilities import vulnerabilities
from adjudge.source import Location

if TYPE_CHECKING:
    from adjudge.trust import TrustSettings

Progress: TypeAlias = Callable[[int, int, str], None]
"""Told after each artifact: how many are loaded, how many there are, the path of this one."""

_WORKERS: Final = 4


@dataclass
class Release:
    """What is judged.

    ``info`` is what policies see as ``input.release``.  ``artifacts`` are in order of path.
    ``detection`` accounts for everything that was looked at: ``{path, kind, reason, judged}``.
    ``trust_root_digest`` is the SHA-256 of the trusted root that signatures were judged by.
    """

    root: Path
    info: dict[str, Any]
    artifacts: list[Document]
    manifest: Manifest | None = None
    degradations: list[Degradation] = field(default_factory=list)
    detection: list[dict[str, Any]] = field(default_factory=list)
    trust_root_digest: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over what was judged: the manifest, and each artifact's path, kind and
        digest."""
        return digest_of(
            {
                "manifest": self.manifest.document.digest if self.manifest else None,
                "artifacts": sorted([d.path, d.kind, d.digest] for d in self.artifacts),
            }
        )

    def locate(self, pointer: str) -> Position | None:
        """Where a pointer into the input, such as ``/release/owner``, stands in the manifest."""
        return self.manifest.locate(pointer) if self.manifest else None

    def excerpt(self, position: Position) -> str | None:
        """The source line of a position in the manifest."""
        return self.manifest.document.excerpt(position) if self.manifest else None


def load_release(
    paths: str | Path | Sequence[str | Path],
    *,
    manifest: Path | None = None,
    kinds: Mapping[str, str] | None = None,
    trust: TrustSettings | None = None,
    as_of: datetime | None = None,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> Release:
    """Load one folder, or files.

    A folder is judged by its manifest (``release.yaml``, or ``manifest`` wherever it stands),
    else by what is found in it.  ``kinds`` maps patterns of paths to the kind to judge them as;
    with ``{"*": kind}`` everything named, a folder too, is one artifact of that kind.
    ``trust`` is the operator's and replaces the manifest's.  ``as_of`` is the time of judgement
    for signatures.

    Raises InputError ``nothing_to_judge``, ``file_not_found``, ``unknown_file_kind`` …;
    ErrorList when several things are wrong; UsageError for a folder beside other paths and for
    kinds that do not exist.
    """
    given = [paths] if isinstance(paths, (str, Path)) else list(paths)
    names = [os.fspath(path) for path in given]
    for name in names:
        if not os.path.lexists(name):
            raise InputError(
                "file_not_found",
                f"{shown_name(name)} does not exist",
                location=Location(shown_name(name), 1, 1),
            )
    kinds = kinds or {}
    folders = [name for name in names if os.path.isdir(name)]
    if not names or (folders and len(names) > 1):
        raise UsageError(
            "one_release_at_a_time",
            "name one folder, or any number of files",
            hint="judge several folders one after the other, or the folder above them",
        )
    loader = _Loader(trust, as_of, limits, progress)
    if folders and "*" not in kinds:
        return loader.folder(Path(folders[0]), manifest, kinds)
    if manifest is not None:
        raise UsageError("manifest_without_folder", "a manifest is about a folder, not about files")
    return loader.files(names, kinds)


class _Loader:
    """One call of :func:`load_release`."""

    def __init__(
        self,
        trust: TrustSettings | None,
        as_of: datetime | None,
        limits: Limits,
        progress: Progress | None,
    ) -> None:
        self.operator = trust
        self.as_of = as_of
        self.limits = limits
        self.progress = progress

    def files(self, names: Sequence[str], kinds: Mapping[str, str]) -> Release:
        """Judge files that were named."""
        root, relative = _common_root(names)
        selection = select_files([Source(root, r) for r in relative], kinds)
        trust = trust_for(None, root, self.operator, self.as_of)
        return self._release(root, None, selection, trust)

    def folder(self, root: Path, given: Path | None, kinds: Mapping[str, str]) -> Release:
        """Judge a folder by its manifest, or by what is in it."""
        source, other = (_named(root, given), None) if given else find_manifest(root)
        manifest = read_manifest(source, self.limits) if source else None
        if manifest is not None and "artifacts" in manifest.value:
            selection = select_listed(manifest, root, kinds, self.limits)
        else:
            selection = select_detected(root, kinds, self.limits, _belonging(manifest))
            _note_detection(selection, manifest, other)
        if manifest is None and not selection.planned:
            raise _nothing(root, selection)
        if manifest is not None:
            add_approvals(selection, manifest, root)
        trust = trust_for(manifest, root, self.operator, self.as_of)
        return self._release(root, manifest, selection, trust)

    def _release(
        self,
        root: Path,
        manifest: Manifest | None,
        selection: Selection,
        trust: ReleaseTrust,
    ) -> Release:
        info = release_info(manifest, root)
        if manifest is not None:
            info["approvals"] = _approvals(manifest, root)
            manifest.raise_errors()
        loaded = self._load(selection.planned, root, trust)
        listed = [(p, d) for p, d in zip(selection.planned, loaded, strict=True) if p.listed]
        join(loaded)
        info["artifacts"] = _artifacts(manifest, listed)
        info["trust"] = {"source": trust.source}
        documents = [document for _, document in listed]
        return Release(
            root=root,
            info=info,
            artifacts=documents,
            manifest=manifest,
            degradations=[*selection.degradations, *trust.degradations],
            detection=selection.detection,
            trust_root_digest=trusted_root_digest(trust.settings) or _root_in(loaded),
        )

    # -- loading -----------------------------------------------------------------------------

    def _load(self, planned: Sequence[Planned], root: Path, trust: ReleaseTrust) -> list[Document]:
        """The documents in the order of the plan.  Hashing runs beside other work."""
        found: list[Document] = []
        errors: list[AdjudgeError] = []
        with ThreadPoolExecutor(min(_WORKERS, len(planned) or 1)) as pool:
            waiting = [pool.submit(self._one, plan, root, trust) for plan in planned]
            for index, (plan, future) in enumerate(zip(planned, waiting, strict=True), 1):
                try:
                    found.append(future.result())
                except InputError as error:
                    errors.append(error)
                if self.progress is not None:
                    self.progress(index, len(planned), plan.source.shown)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise ErrorList(errors)
        return found

    def _one(self, plan: Planned, root: Path, trust: ReleaseTrust) -> Document:
        if plan.kind != SIGNED:
            return registry.load(plan.kind, plan.source, self.limits, trust.settings)
        settings = trust.settings if plan.key is None else trust.with_key(root / plan.key)
        return signed_artifact.load(plan.source, self.limits, settings, plan.signature)


def _common_root(names: Sequence[str]) -> tuple[Path, list[str]]:
    """The folder that named files are relative to, and their names there.

    The working directory when all of them are below it, so that reports call them as the
    operator does; else the folder they have in common.  A link leads where it leads: the
    operator named it.
    """
    here = os.path.realpath(".")
    real = [_real(name) for name in names]
    inside = all(path.startswith(here + os.sep) for path in real)
    root = here if inside else os.path.commonpath([os.path.dirname(path) for path in real])
    return Path(root), [os.path.relpath(path, root) for path in real]


def _real(name: str) -> str:
    """The path with the folders above it resolved, and the file too when it is a link out of
    its folder."""
    above = os.path.realpath(os.path.dirname(os.path.abspath(name)))
    path = os.path.join(above, os.path.basename(os.path.abspath(name)))
    target = os.path.realpath(path)
    return path if target.startswith(above + os.sep) else target


def _named(root: Path, manifest: Path) -> Source:
    """The source of a manifest that was named: inside the folder when it stands there."""
    real, top = os.path.realpath(manifest), os.path.realpath(root)
    if real.startswith(top + os.sep):
        return Source(root, os.path.relpath(real, top))
    return Source(Path(os.path.dirname(real)), os.path.basename(real))


def _belonging(manifest: Manifest | None) -> set[str]:
    """The manifest and the files it names, which are not artifacts that were passed over."""
    if manifest is None:
        return set()
    named = [r["path"] for _, r in references(manifest.value) if "path" in r]
    named += [path for path, _ in manifest.approvals]
    named += trust_files(manifest.value.get("trust", {}))
    return {manifest.document.path, *map(posixpath.normpath, named)}


def _note_detection(selection: Selection, manifest: Manifest | None, other: str | None) -> None:
    found = [{"path": p.source.shown, "kind": p.kind} for p in selection.planned]
    if manifest is None:
        hint = f"; {other} does not say kind: Release" if other else ""
        message = f"the release has no manifest{hint}; what it holds was detected"
        selection.degrade("manifest_missing", message, found)
    else:
        message = "the manifest lists no artifacts; what the release holds was detected"
        selection.degrade("artifacts_detected", message, found)


def _nothing(root: Path, selection: Selection) -> InputError:
    looked_at = [d["path"] for d in selection.detection]
    shown = shown_name(os.fspath(root))
    message = f"{shown} holds nothing that can be judged"
    if looked_at:
        message += f": none of its {len(looked_at)} files is of a known kind"
    return InputError(
        "nothing_to_judge",
        message,
        location=Location(shown, 1, 1),
        hint="name the files with --kind, or list them in release.yaml",
    )


def _artifacts(
    manifest: Manifest | None, listed: Iterable[tuple[Planned, Document]]
) -> list[dict[str, Any]]:
    """The artifacts as ``input.release`` names them; notes where each stands in the manifest."""
    found: list[dict[str, Any]] = []
    for index, (plan, document) in enumerate(listed):
        entry = {"path": document.path, "kind": document.kind}
        if plan.name is not None:
            entry["name"] = plan.name
        found.append(entry)
        if manifest is not None and plan.pointer is not None:
            manifest.places[f"/release/artifacts/{index}"] = plan.pointer
    return found


def _approvals(manifest: Manifest, root: Path) -> list[dict[str, Any]]:
    """The approvals that the manifest names, with their digests."""
    found: list[dict[str, Any]] = []
    for path, pointer in manifest.approvals:
        source = Source(root, path)
        measured = digest_of_file(manifest, source, pointer)
        if measured is not None:
            manifest.places[f"/release/approvals/{len(found)}"] = pointer
            found.append({"path": source.shown, **measured})
    return found


def _root_in(documents: Iterable[Document]) -> str | None:
    """The trusted root that signatures say they were judged by."""
    for document in documents:
        if document.kind == SIGNED:
            for signature in document.facts["signatures"]:
                if signature.get("trusted_root_digest"):
                    return str(signature["trusted_root_digest"])
    return None


# --- the input ------------------------------------------------------------------------------------

_EVENT_VARIABLES: Final = ("GITHUB_EVENT_NAME", "CI_PIPELINE_SOURCE")


def release_input(
    release: Release,
    git: Mapping[str, Any] | None,
    as_of: int,
    event: str | None = None,
    environ: Mapping[str, str] | None = None,
    degradations: Sequence[Degradation] = (),
) -> dict[str, Any]:
    """What rules about the whole release see as ``input``.

    ``as_of`` is the evaluation time in nanoseconds since 1970.  ``event`` defaults to what
    the CI system says in ``environ``, else ``manual``.  ``degradations`` are those of the whole
    run; without them, those of the release.  The groups hold the very dicts of ``artifacts``.
    """
    artifacts = [document.as_input() for document in release.artifacts]
    groups: dict[str, list[dict[str, Any]]] = {k.group: [] for k in registry.KINDS.values()}
    for document, artifact in zip(release.artifacts, artifacts, strict=True):
        groups[registry.KINDS[document.kind].group].append(artifact)
    notes = degradations or release.degradations
    return {
        "release": release.info,
        "artifacts": artifacts,
        **dict(sorted(groups.items())),
        "vulnerabilities": vulnerabilities(release.artifacts),
        "git": dict(git) if git is not None else None,
        "context": {"as_of": format_time(as_of), "event": event_name(event, environ or {})},
        "degradations": [note.model_dump(mode="json") for note in notes],
    }


def event_name(event: str | None, environ: Mapping[str, str]) -> str:
    """What made the judgement happen: as given, as the CI system says, or ``manual``."""
    known = (environ.get(name) for name in _EVENT_VARIABLES)
    return event or next((name for name in known if name), "manual")
