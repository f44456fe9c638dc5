"""JSON and YAML files in, one tree of base documents out, merged as OPA merges them.

Two files may add to one object; two values for one place are an error, equal or not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adjudge.canonical import sha256_hex
from adjudge.documents.model import DEFAULT_LIMITS, Parsed, join
from adjudge.documents.reading import Source, decode_text, read_json, read_yaml, shown_name
from adjudge.errors import AdjudgeError, InputError
from adjudge.policyset.files import PolicyFile
from adjudge.policyset.places import Place, find_place
from adjudge.source import Location

_JSON: Final = ".json"
_YAML: Final = (".yaml", ".yml")


@dataclass(frozen=True)
class DataFile:
    """A file of data that was given, with what it holds.

    ``at`` are the keys below ``data`` where its value belongs.
    """

    file: PolicyFile
    at: tuple[str, ...]
    parsed: Parsed


def load_data(paths: Iterable[str | Path], errors: list[AdjudgeError]) -> list[DataFile]:
    """The data files that were named, in that order; of a folder, every JSON and YAML file.

    A file belongs at the root of ``data``, a file in a folder below the names of the folders
    it stands in, as with ``opa -d``.  What is wrong is added to ``errors``.
    """
    found: list[DataFile] = []
    for path in paths:
        if not os.path.lexists(path):
            shown = shown_name(os.fspath(path))
            errors.append(
                InputError(
                    "data_not_found",
                    f"there is no data file {shown}",
                    location=Location(shown, 1, 1),
                    hint="--data names a JSON or YAML file, or a folder of them",
                )
            )
            continue
        try:
            place = find_place(Path(path))
            found += _folder(place, errors) if place.starts == (".",) else [_file(place)]
        except InputError as error:
            errors.append(error)
    return found


def parse_data(file: PolicyFile, text: str) -> DataFile:
    """A base document of a policy folder, which belongs at the path of its folder."""
    return DataFile(file, _folders_of(file.path), _parse(text, file.shown))


def merge_data(files: Sequence[DataFile], errors: list[AdjudgeError]) -> dict[str, Any]:
    """The base documents of all files; conflicts are added to ``errors``."""
    root: dict[str, Any] = {}
    owners: dict[tuple[str, ...], str] = {}
    for item in files:
        if not item.at and not isinstance(item.parsed.value, dict):
            errors.append(
                _error(
                    item,
                    "data_not_an_object",
                    f"{item.file.shown} does not hold an object, which the root of data is",
                    "",
                    "put the value under a name, or the file into a folder of that name",
                )
            )
            continue
        value = item.parsed.value
        for key in reversed(item.at):
            value = {key: value}
        _merge(root, value, (), item, owners, errors)
    return root


def _merge(
    into: dict[str, Any],
    value: dict[str, Any],
    at: tuple[str, ...],
    item: DataFile,
    owners: dict[tuple[str, ...], str],
    errors: list[AdjudgeError],
) -> None:
    """Add ``value``; ``owners`` remembers the file of each value that was taken as a whole."""
    for key, new in value.items():
        path = (*at, key)
        if key not in into:
            # A copy of what may grow: parsed values are not to change.
            into[key] = {} if isinstance(new, dict) else new
            owners[path] = item.file.shown
            if isinstance(new, dict):
                _merge(into[key], new, path, item, owners, errors)
        elif isinstance(into[key], dict) and isinstance(new, dict):
            _merge(into[key], new, path, item, owners, errors)
        else:
            errors.append(
                _error(
                    item,
                    "data_conflict",
                    f"data.{'.'.join(path)} is also given by {owners[path]}",
                    join("", *path[len(item.at) :]),
                    "one value can come from one file only",
                )
            )


def _error(item: DataFile, code: str, message: str, pointer: str, hint: str) -> InputError:
    place = item.parsed.locate_key(pointer) or item.parsed.locate(pointer)
    shown = item.file.shown
    location = Location(shown, place.line, place.column) if place else Location(shown, 1, 1)
    return InputError(code, message, location=location, hint=hint)


# --- finding and reading -------------------------------------------------------------------------


def _folder(place: Place, errors: list[AdjudgeError]) -> list[DataFile]:
    walk = place.source(".").walk(ignore=lambda name: "hidden" if name.startswith(".") else None)
    if walk.truncated:
        raise InputError(
            "too_many_data_files",
            f"{place.shown or 'the folder'} holds more files or folders than data ever needs",
            hint="name the folder of the data itself",
        )
    found: list[DataFile] = []
    for source in walk.files():
        name = source.name
        if name.startswith(".") or not name.endswith((_JSON, *_YAML)):
            continue
        try:
            found.append(_read(source, place, _folders_of(source.shown)))
        except InputError as error:
            errors.append(error)
    if not found and not errors:
        raise InputError(
            "no_data",
            f"{place.shown or 'the folder'} holds no JSON or YAML files",
            location=Location(place.shown, 1, 1),
        )
    return found


def _file(place: Place) -> DataFile:
    (relative,) = place.starts
    if not relative.endswith((_JSON, *_YAML)):
        shown = place.shown_as(relative)
        raise InputError(
            "not_a_data_file",
            f"{shown} is neither JSON nor YAML by its name",
            location=Location(shown, 1, 1),
            hint="name a file that ends in .json, .yaml or .yml, or a folder of such files",
        )
    return _read(place.source(relative), place, ())


def _read(source: Source, place: Place, at: tuple[str, ...]) -> DataFile:
    shown = place.shown_as(source.relative)
    data = source.read(DEFAULT_LIMITS.max_bytes)
    file = PolicyFile(source.shown, shown, "data", place.name, sha256_hex(data), len(data))
    return DataFile(file, at, _parse(decode_text(data, shown), shown))


def _parse(text: str, shown: str) -> Parsed:
    return read_json(text, shown) if shown.endswith(_JSON) else read_yaml(text, shown)


def _folders_of(path: str) -> tuple[str, ...]:
    folder = os.path.dirname(path)
    return tuple(folder.split("/")) if folder else ()
