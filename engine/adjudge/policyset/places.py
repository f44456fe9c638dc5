"""What the operator names in, the place its policies stand in out.

A name without a dot or slash that a shipped pack or collection has means that one, also when
a file of that name stands in the working directory: a change under judgement must not be able
to put its own policies in their place.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adjudge.documents.reading import Source, shown_name
from adjudge.errors import InputError
from adjudge.policyset import shipped
from adjudge.source import Location
from adjudge.yamlpolicy.problems import choices, close_match

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")
_PACK: Final = "pack:"
_COLLECTION: Final = "collection:"


@dataclass(frozen=True)
class Place:
    """A folder, and what in it is meant.

    ``shown`` is how the folder is called in messages.  ``name`` is the pack of files that
    stand directly in it.  ``starts`` are the files and folders below it that are looked at
    (``"."`` is all of it), ``collection`` the file that chooses among the rules found.  With
    ``pack``, the rules of that pack count and the others only serve them.
    """

    root: Path
    shown: str
    name: str
    starts: tuple[str, ...] = (".",)
    collection: str | None = None
    pack: str | None = None

    def source(self, relative: str) -> Source:
        """A file or folder of the place."""
        return Source(self.root, relative)

    def shown_as(self, relative: str) -> str:
        """How a file of the place is called in messages."""
        return "/".join(part for part in (self.shown, shown_name(relative)) if part)


def find_place(source: str | Path) -> Place:
    """The place of the policies called ``source``: a path, or the name of shipped policies.

    Raises InputError ``policies_not_found``, ``unknown_policies`` (with the names there are)
    or ``shipped_policies_missing``.
    """
    if isinstance(source, Path):
        return _path(os.fspath(source))
    if source.startswith(_PACK):
        return _pack(source.removeprefix(_PACK))
    if source.startswith(_COLLECTION):
        return _collection(source.removeprefix(_COLLECTION))
    if not _NAME.match(source):
        return _path(source)
    return _shipped(source) if not os.path.lexists(source) else _either(source)


def _either(name: str) -> Place:
    try:
        return _shipped(name)
    except InputError:
        return _path(name)


def _shipped(name: str) -> Place:
    root = shipped.shipped_policies()
    collections, packs = shipped.collection_names(root), shipped.pack_names(root)
    if name in collections:
        return _collection(name)
    if name in packs:
        return _pack(name)
    raise _unknown(name, [*collections, *(_PACK + p for p in packs)])


def _pack(name: str) -> Place:
    root = shipped.shipped_policies()
    packs = shipped.pack_names(root)
    if name not in packs:
        raise _unknown(_PACK + name, [_PACK + p for p in packs])
    library = root / shipped.LIBRARY
    starts = (name, shipped.LIBRARY) if library.is_dir() else (name,)
    return Place(root, shipped.SHOWN, name, starts, pack=name)


def _collection(name: str) -> Place:
    root = shipped.shipped_policies()
    names = shipped.collection_names(root)
    if name not in names:
        raise _unknown(name, names)
    file = f"{shipped.COLLECTIONS}/{name}.yaml"
    return Place(root, shipped.SHOWN, name, collection=file)


def _unknown(name: str, known: list[str]) -> InputError:
    plain = {k.removeprefix(_PACK): k for k in reversed(known)}
    near = plain.get(close_match(name.removeprefix(_PACK), plain) or "")
    there = f"there are {choices(known, 30)}" if known else "none are installed"
    return InputError(
        "unknown_policies",
        f"no shipped policies are called {shown_name(name)}, and no such file exists",
        hint=f"did you mean {near}?" if near else f"{there}; a path such as ./policies works too",
    )


def _path(given: str) -> Place:
    shown = _shown_path(given)
    real = os.path.realpath(given)
    if os.path.isdir(real):
        name = os.path.basename(real) or "policies"
        return Place(Path(real), shown, shown_name(name))
    if not os.path.lexists(given) or "\0" in given:
        raise InputError(
            "policies_not_found",
            f"{shown or '.'} does not exist",
            location=Location(shown, 1, 1),
            hint="name a folder or file with policies, or shipped ones such as baseline",
        )
    folder, _, _ = shown.rpartition("/")
    parent, name = os.path.split(real)
    # Messages call a symbolic link by its own name, which may differ from that of the file.
    return Place(Path(parent), folder, shown_name(Path(name).stem), (name,))


def _shown_path(given: str) -> str:
    """A path as messages and records name it: never absolute, so that a decision is the same
    wherever the files stand."""
    path = os.path.normpath(given) if given else ""
    if os.path.isabs(path):
        relative = os.path.relpath(path)
        outside = relative == ".." or relative.startswith("../")
        path = os.path.basename(path) if outside else relative
    return "" if path == "." else shown_name(path)
