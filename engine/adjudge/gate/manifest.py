"""``release.yaml`` in; a checked :class:`Manifest`, and what policies see of it, out."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adjudge.canonical import sha256_hex
from adjudge.documents import registry
from adjudge.documents.model import DEFAULT_LIMITS, Document, Limits, Position, join, parent_of
from adjudge.documents.reading import Source, decode_text, read_yaml
from adjudge.errors import ErrorList, InputError
from adjudge.gate.schemas import LISTS, release_schema
from adjudge.policyset.structure import Structure, suggestion

NAMES: Final = ("release.yaml", "release.yml")
"""What a manifest is called."""

KIND: Final = "release"

_METADATA: Final = ("name", "version", "title", "description", "labels")
_REFERENCES: Final = (
    ("assessments", "risk"),
    ("assessments", "impact"),
    ("assessments", "data_protection"),
    ("post_market", "plan"),
    ("declaration_of_conformity",),
)
"""Where the manifest refers to documents."""

_OURS: Final = re.compile(r"""apiVersion["']?\s*:\s*["']?adjudge/|kind["']?\s*:\s*["']?Release\b""")


@dataclass(frozen=True)
class Entry:
    """One entry of ``artifacts``; ``path`` may be a pattern, ``pointer`` is where it stands."""

    path: str
    pointer: str
    kind: str | None = None
    name: str | None = None
    signature: str | None = None
    key: str | None = None
    optional: bool = False


@dataclass
class Manifest:
    """A manifest that has the right form.

    ``document`` is the file as one of the kind ``release``: it knows where its values stand.
    ``structure`` takes the errors found while files are looked up.
    """

    document: Document
    structure: Structure
    entries: tuple[Entry, ...]
    approvals: tuple[tuple[str, str], ...]
    """Paths, each with its pointer."""
    places: dict[str, str] = field(default_factory=dict)
    """Pointers of the input, such as ``/release/name``, to those of the file."""

    @property
    def value(self) -> dict[str, Any]:
        """The mapping in the file."""
        value: dict[str, Any] = self.document.document
        return value

    def locate(self, pointer: str) -> Position | None:
        """Where a pointer into the input of a release stands in the file; None for what does
        not come from it.  What the file does not say is placed at what encloses it."""
        if pointer != "/release" and not pointer.startswith("/release/"):
            return None
        above, rest = pointer, ""
        while above not in self.places:
            if above == "/release":
                inner = pointer.removeprefix("/release")
                head = inner.split("/")[1] if inner else ""
                prefix = "/metadata" if head in _METADATA else ""
                return self.document.locate("/document" + prefix + inner)
            step = parent_of(above)
            rest = above[len(step) :] + rest
            above = step
        return self.document.locate("/document" + self.places[above] + rest)

    def raise_errors(self) -> None:
        """Raise ErrorList when anything is wrong."""
        if self.structure.errors:
            raise ErrorList(self.structure.errors)


def find_manifest(root: Path) -> tuple[Source | None, str | None]:
    """The manifest of a folder; and the name of a file that is called like one and is none.

    Raises InputError ``manifest_ambiguous`` when there are two.
    """
    found = [s for name in NAMES if (s := Source(root, name)).type() == "file"]
    ours = [s for s in found if _OURS.search(_start(s))]
    if len(ours) > 1:
        raise ours[1].error(
            "manifest_ambiguous",
            f"there are two manifests: {ours[0].shown} and {ours[1].shown}",
            hint="keep one of them",
        )
    other = next((s.shown for s in found if s not in ours), None)
    return (ours[0] if ours else None), other


def _start(source: Source) -> str:
    with source.open() as file:
        return file.read(64 * 1024).decode("utf-8", "replace")


def read_manifest(source: Source, limits: Limits = DEFAULT_LIMITS) -> Manifest:
    """Read a manifest and check its form.

    Raises the InputErrors of reading, ``yaml_*``, and ErrorList with every ``release_*`` error.
    """
    data = source.read(limits.max_yaml_bytes)
    parsed = read_yaml(decode_text(data, source.shown), source.shown, limits)
    structure = Structure(parsed, source.shown, "release")
    structure.check(release_schema())
    if structure.errors:
        raise ErrorList(structure.errors)
    value: dict[str, Any] = parsed.value
    document = Document(
        kind=KIND,
        path=source.shown,
        digest=sha256_hex(data),
        size=len(data),
        document=value,
        facts={},
        locator=parsed.locate,
        sources={source.shown: parsed.lines},
    )
    reader = _Reader(structure)
    manifest = Manifest(
        document=document,
        structure=structure,
        entries=tuple(reader.entries(value.get("artifacts", []))),
        approvals=tuple(
            (path, f"/approvals/{i}")
            for i, given in enumerate(value.get("approvals", []))
            if (path := reader.path(given, f"/approvals/{i}")) is not None
        ),
    )
    reader.check_paths(value)
    manifest.raise_errors()
    return manifest


class _Reader:
    """Checks what a JSON Schema cannot say: kinds, and paths that stay inside."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure

    def entries(self, given: Iterable[dict[str, Any]]) -> Iterator[Entry]:
        for index, entry in enumerate(given):
            at = f"/artifacts/{index}"
            path = self.path(entry["path"], f"{at}/path")
            self._check_kind(entry.get("kind"), f"{at}/kind")
            yield Entry(
                path=path or "",
                pointer=at,
                kind=entry.get("kind"),
                name=entry.get("name"),
                signature=self._optional(entry, "signature", at),
                key=self._optional(entry, "key", at),
                optional=entry.get("optional", False),
            )

    def _check_kind(self, kind: str | None, pointer: str) -> None:
        if kind is not None and kind not in registry.KINDS:
            known = ", ".join(registry.KINDS)
            hint = suggestion(kind, registry.KINDS) or f"one of {known}"
            self.structure.add("unknown_kind", f"there is no kind {kind!r}", pointer, hint)

    def _optional(self, entry: dict[str, Any], key: str, at: str) -> str | None:
        return self.path(entry[key], f"{at}/{key}") if key in entry else None

    def check_paths(self, value: dict[str, Any]) -> None:
        """Check the paths in references and trust settings."""
        for pointer, reference in references(value):
            if "path" in reference:
                self.path(reference["path"], f"{pointer}/path")
        trust = value.get("trust", {})
        if "trusted_root" in trust:
            self.path(trust["trusted_root"], "/trust/trusted_root")
        for key in ("keys", "certificate_roots", "timestamp_authorities"):
            for index, path in enumerate(trust.get(key, [])):
                self.path(path, f"/trust/{key}/{index}")

    def path(self, given: str, pointer: str) -> str | None:
        """A path in normal form; None after reporting that it leads out of the folder."""
        path = posixpath.normpath(given)
        if "\0" in given or "\\" in given:
            self.structure.add("path", "a path has no backslash and no NUL", pointer, "use /")
        elif path == ".." or path.startswith(("/", "../")):
            self.structure.add(
                "path_escape",
                f"{given} leads out of the release folder",
                pointer,
                "name files relative to the manifest's folder, without '..'",
            )
        else:
            return path
        return None


def references(value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The documents that a manifest refers to, each with its pointer."""
    for keys in _REFERENCES:
        node: Any = value
        for key in keys:
            node = node.get(key) if isinstance(node, dict) else None
        if isinstance(node, dict):
            yield join("", *keys), node


def release_info(manifest: Manifest | None, root: Path) -> dict[str, Any]:
    """What policies see as ``input.release``, without the artifacts, which are not known yet.

    Documents that the manifest refers to get their digest and size; a missing one is added to
    the errors of the manifest.
    """
    info: dict[str, Any] = {name: [] for name in LISTS}
    if manifest is None:
        return info
    value = manifest.value
    info |= value["metadata"]
    for key, section in value.items():
        if key not in ("apiVersion", "kind", "metadata", "artifacts", "approvals", "trust"):
            info[key] = section
    info["manifest"] = manifest.document.path
    for pointer, reference in references(value):
        if "path" in reference:
            _put(info, pointer, _measured(manifest, root, pointer, reference))
    return info


def _put(info: dict[str, Any], pointer: str, reference: dict[str, Any]) -> None:
    """Replace a reference, leaving what the manifest holds as it is."""
    *above, last = pointer.split("/")[1:]
    node = info
    for key in above:
        node[key] = dict(node[key])
        node = node[key]
    node[last] = reference


def _measured(
    manifest: Manifest, root: Path, pointer: str, reference: dict[str, Any]
) -> dict[str, Any]:
    source = Source(root, posixpath.normpath(reference["path"]))
    measured = digest_of_file(manifest, source, f"{pointer}/path")
    if measured is None:
        return reference
    out = reference | measured
    if "sha256" in reference:
        out["digest_matches"] = reference["sha256"].removeprefix("sha256:") == measured["digest"]
    return out


def digest_of_file(manifest: Manifest, source: Source, pointer: str) -> dict[str, Any] | None:
    """``{digest, size}`` of a file that the manifest names; None after reporting an error."""
    try:
        sha256, size = source.digest()
    except InputError as error:
        report(manifest, error, source, pointer)
        return None
    return {"digest": sha256, "size": size}


def report(manifest: Manifest, error: InputError, source: Source, pointer: str) -> None:
    """Add an error about a file to the manifest that names it, at the line that does."""
    if error.code == "file_not_found":
        near = suggestion(source.name, _siblings(source))
        manifest.structure.add("missing_file", f"{source.shown} does not exist", pointer, near)
    else:
        manifest.structure.add(error.code, error.message, pointer, error.hint)


def _siblings(source: Source) -> list[str]:
    """The names in the folder where a file was looked for."""
    folder = source.root / (source.relative.rpartition("/")[0] or ".")
    try:
        return [entry.name for entry in folder.iterdir() if entry.name.isprintable()]
    except OSError:
        return []
