"""A place in, the policy files that stand in it out, read and hashed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from adjudge.canonical import digest_of, sha256_hex
from adjudge.documents.model import DEFAULT_LIMITS, MIB, Parsed
from adjudge.documents.reading import Source, decode_text, read_json, read_yaml
from adjudge.errors import AdjudgeError, InputError
from adjudge.policyset.places import Place
from adjudge.source import Location

Role: TypeAlias = Literal["rego", "test", "yaml", "data", "collection", "manifest"]

MAX_BYTES: Final = 10 * MIB
"""The largest policy file that is read; data may be larger."""

_DATA: Final = ("data.json", "data.yaml", "data.yml")
_MANIFEST: Final = ".manifest"
_CONFIGURATION: Final = (".yaml", ".yml", ".json")

# What only a file of adjudge says; such a file is never passed over because it is broken.
_OURS: Final = re.compile(
    r"""["']?apiVersion["']?\s*:\s*["']?adjudge/|["']?kind["']?\s*:\s*["']?Policy\b"""
)

# How nearly every policy says it: parsing those twice can be spared.
_POLICY: Final = re.compile(r"^kind: Policy$", re.MULTILINE)


@dataclass(frozen=True)
class PolicyFile:
    """A file that took part.

    ``path`` is relative to its source, ``shown`` how messages and modules call it, ``pack``
    the part of the policy set it belongs to, ``size`` in bytes.
    """

    path: str
    shown: str
    role: Role
    pack: str
    sha256: str
    size: int


@dataclass
class Found:
    """The files of one place with their texts; ``skipped`` tells what was passed over."""

    files: list[tuple[PolicyFile, str]] = field(default_factory=list)
    skipped: list[AdjudgeError] = field(default_factory=list)
    errors: list[AdjudgeError] = field(default_factory=list)


def digest_of_policy_files(files: list[PolicyFile]) -> str:
    """SHA-256 (hex) of the canonical JSON of the sorted list of ``{path, sha256}``."""
    pairs = sorted((f.path, f.sha256) for f in files)
    return digest_of([{"path": path, "sha256": sha256} for path, sha256 in pairs])


def find_files(place: Place) -> Found:
    """Every policy file of a place, in order of name.

    Hidden files and folders are left out, symbolic links followed only to files inside the
    place.  What cannot be read is an error in the result.
    """
    found = Found()
    for source in _sources(place, found):
        role = _role_of(source, place)
        if role is None:
            continue
        try:
            found.files.append(read_policy_file(place, source.relative, role))
        except InputError as error:
            if role == "yaml" and error.code in ("invalid_utf8", "binary_file"):
                _skip(found, place.shown_as(source.relative), "it is not text")
            else:
                found.errors.append(error)
    _keep_policies(found)
    return found


def read_policy_file(place: Place, relative: str, role: Role) -> tuple[PolicyFile, str]:
    """One file and its text.  Raises InputError as :class:`Source` and ``decode_text`` do."""
    source = place.source(relative)
    shown = place.shown_as(relative)
    limit = DEFAULT_LIMITS.max_bytes if role == "data" else MAX_BYTES
    try:
        data = source.read(limit)
    except InputError as error:
        raise _renamed(error, source, shown) from None
    folder, _, _ = source.shown.partition("/")
    pack = folder if "/" in source.shown else place.name
    file = PolicyFile(source.shown, shown, role, pack, sha256_hex(data), len(data))
    return file, decode_text(data, shown)


def _renamed(error: InputError, source: Source, shown: str) -> InputError:
    """The error with the file called as the operator called it."""
    message = error.message.replace(source.shown, shown, 1)
    return InputError(error.code, message, location=Location(shown, 1, 1), hint=error.hint)


def _sources(place: Place, found: Found) -> Iterator[Source]:
    for start in place.starts:
        source = place.source(start)
        try:
            if source.type() != "directory":
                yield source
                continue
            walk = source.walk(ignore=lambda name: "hidden" if name.startswith(".") else None)
        except InputError as error:
            found.errors.append(_renamed(error, source, place.shown_as(start)))
            continue
        if walk.truncated:
            shown = place.shown_as(start)
            raise InputError(
                "too_many_policy_files",
                f"{shown or 'the folder'} holds more files or folders than policies ever need",
                location=Location(shown, 1, 1),
                hint="name the folder of the policies itself",
            )
        for skipped in walk.skipped:
            if skipped.reason != "hidden":
                _skip(found, place.shown_as(skipped.path), skipped.reason)
        for entry in walk.entries:
            if entry.type == "file" or _leads_to_file(entry.source, place, found):
                yield entry.source


def _leads_to_file(source: Source, place: Place, found: Found) -> bool:
    """Whether a symbolic link leads to a file inside the place; an error when it leads out.

    A mounted Kubernetes ConfigMap consists of such links.
    """
    if source.name.startswith("."):
        return False
    shown = place.shown_as(source.relative)
    try:
        kind = source.type()
    except InputError as error:
        if _role_of(source, place) is not None:
            found.errors.append(_renamed(error, source, shown))
        else:
            _skip(found, shown, "a symbolic link that leads out of the folder")
        return False
    if kind == "directory":
        _skip(found, shown, "a symbolic link to a folder")
    return kind == "file"


def _role_of(source: Source, place: Place) -> Role | None:
    """What the name of a file says it is; ``yaml`` only says that it may be a policy."""
    name = source.name
    if source.relative == _MANIFEST and place.collection is None and place.pack is None:
        return "manifest"
    if name.startswith("."):
        return None
    if name.endswith(".rego"):
        return "test" if name.endswith("_test.rego") else "rego"
    if name in _DATA and place.starts != (source.relative,):
        return "data"
    return "yaml" if name.endswith(_CONFIGURATION) else None


def _skip(found: Found, shown: str, reason: str) -> None:
    found.skipped.append(
        AdjudgeError(
            "policy_file_skipped",
            f"{shown} is passed over: {reason}",
            location=Location(shown, 1, 1),
        )
    )


# --- telling policies from other YAML and JSON files ---------------------------------------------


def _keep_policies(found: Found) -> None:
    """Leave out YAML and JSON files that are no policies, saying so."""
    kept = []
    for file, text in found.files:
        reason = _other_than_policy(file, text) if file.role == "yaml" else None
        if reason is None:
            kept.append((file, text))
        elif reason:
            _skip(found, file.shown, reason)
    found.files = kept


def _other_than_policy(file: PolicyFile, text: str) -> str | None:
    """Why a file is no policy; None when it is or wants to be one, empty for a collection."""
    if _POLICY.search(text):
        return None
    try:
        value = parse_configuration(text, file.shown).value
    except InputError as error:
        return None if _OURS.search(text) else f"it is no policy, and {error.code}"
    if not isinstance(value, dict):
        return "it is no policy"
    if value.get("kind") == "Policy":
        return None
    if not str(value.get("apiVersion", "")).startswith("adjudge/"):
        return "it is no policy: a policy says kind: Policy"
    if value.get("kind") in ("Collection", "Framework"):
        return ""
    return f"it is a {value['kind']}" if value.get("kind") in ("Release", "Waivers") else None


def parse_configuration(text: str, shown: str) -> Parsed:
    """A JSON or YAML text by its name, read strictly.  Raises InputError."""
    reader = read_json if shown.endswith((".json", _MANIFEST)) else read_yaml
    return reader(text, shown)
