"""Files the way ``opa`` loads them in: modules and base documents out.

A directory is walked; every ``.rego`` file is a module, every JSON or YAML file a base
document under the path of its directory, every ``.tar.gz`` a bundle.  A prefix ``a.b:path``
puts a document below ``data.a.b``.  With ``bundles`` directories and archives are bundles
(:mod:`adjudge.policyset.opa_bundles`).  YAML policies are modules, too; collections are
left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from adjudge.errors import InputError
from adjudge.policyset.inputs import input_schemas
from adjudge.policyset.opa_bundles import ARCHIVE, Bundle, Conflict, merge_into, read_bundle
from adjudge.policyset.opa_values import (
    MAX_FILE_BYTES,
    decoded,
    parsed_any,
    parsed_json,
    parsed_yaml,
)
from adjudge.rego.errors import RegoErrors
from adjudge.rego.parser import parse_module
from adjudge.rego.runtime.text import to_json
from adjudge.rego.syntax import Module
from adjudge.yamlpolicy import compile_policy

DATA_SUFFIXES: Final = (".json", ".yaml", ".yml")
MAX_DEPTH: Final = 100
"""Folders below one another; a symlink to a folder above would never end."""


@dataclass(slots=True)
class OpaFiles:
    """Module texts (or trees, of YAML policies and bundles) by file name, the merged base
    documents, and the time that reading those took, in nanoseconds."""

    modules: dict[str, str | Module] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    data_ns: int = 0
    _owners: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _seen: set[tuple[tuple[str, ...], Path]] = field(default_factory=set)
    _roots: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def add_file(
        self, path: Path, below: tuple[str, ...], rego_version: int, *, named: bool
    ) -> None:
        """Load one file; ``named``: it was asked for by name, whatever its suffix is."""
        key = (below, path)
        if key in self._seen:
            return
        self._seen.add(key)
        name = str(path)
        if path.suffix == ".rego":
            self.modules[name] = read_text(path)
        elif path.suffix in DATA_SUFFIXES:
            begun = time.perf_counter_ns()
            value = read_data(path)
            self.data_ns += time.perf_counter_ns() - begun
            kind = _policy_kind(value)
            if kind == "Policy":
                self.modules[name] = compile_policy(read_text(path), name, input_schemas()).module
            elif kind is None:
                self.add_data(name, below, value)
        elif name.endswith(ARCHIVE):
            bundle = read_bundle(path, rego_version)
            self.modules.update(bundle.modules)
            self.add_data(name, below, bundle.data)
        elif named:
            self._add_unknown(path, below, rego_version)

    def add_data(self, name: str, below: tuple[str, ...], value: Any) -> None:
        """Merge a base document below a path; raises :class:`InputError` when it cannot be."""
        for key in reversed(below):
            value = {key: value}
        if not isinstance(value, dict):
            raise InputError(
                "data_not_object",
                f"{name}: document must be of type object",
                hint="wrap the value in an object, or say where it belongs with NAME:PATH",
            )
        try:
            merge_into(self.data, value)
        except Conflict as conflict:
            raise self._conflict(name, conflict) from None
        self._owners.append((name, value))

    def add_bundle(self, bundle: Bundle) -> None:
        """Add a bundle; raises :class:`InputError` when its roots overlap with another's."""
        for other, roots in self._roots:
            shared = [a for a in bundle.roots for b in roots if _overlap(a, b)]
            if shared:
                raise InputError(
                    "bundle_roots_overlap",
                    "detected overlapping roots in manifests for these bundles: "
                    f"[{other}, {bundle.name}] (root {shared[0]!r} is in multiple bundles)",
                )
        self._roots.append((bundle.name, bundle.roots))
        self.modules.update(bundle.modules)
        self.add_data(bundle.name, (), bundle.data)

    def _add_unknown(self, path: Path, below: tuple[str, ...], rego_version: int) -> None:
        """A file of unknown type: a module, JSON or YAML, whichever it can be read as."""
        text = read_text(path)
        try:
            self.modules[str(path)] = parse_module(text, str(path), rego_version)
            return
        except RegoErrors:
            pass
        for read in (parsed_json, parsed_yaml):
            try:
                value = read(text, str(path))
            except InputError:
                continue
            self.add_data(str(path), below, value)
            return
        raise InputError("unknown_file_type", f"{path}: can't recognize file type")

    def _conflict(self, name: str, conflict: Conflict) -> InputError:
        where = ".".join(("data", *conflict.path))
        message = f"{name}: merge error: conflicting values at {where}"
        for other, value in self._owners:
            node: Any = value
            for key in conflict.path:
                node = node.get(key) if isinstance(node, dict) else None
            if node is not None:
                message += f", also defined in {other}"
                break
        return InputError("data_conflict", message, hint="documents of several files never overlap")


def load_opa_files(
    paths: Sequence[str],
    *,
    bundles: Sequence[str] = (),
    ignore: Sequence[str] = (),
    rego_version: int = 1,
) -> OpaFiles:
    """Load files and directories, and bundles; raises :class:`InputError` for what cannot be
    read, and for two documents that claim the same place.

    ``ignore`` are patterns of file and directory names to leave out.
    """
    out = OpaFiles()
    for argument in paths:
        prefix, path = _split_prefix(argument)
        if not path.exists():
            raise InputError("file_not_found", f"{path}: no such file or directory")
        for file, below in _files(path, ignore):
            out.add_file(file, (*prefix, *below), rego_version, named=file == path)
    for argument in bundles:
        path = _without_scheme(argument)
        if not path.exists():
            raise InputError("file_not_found", f"{path}: no such file or directory")
        out.add_bundle(read_bundle(path, rego_version, lambda n: _ignored(n, ignore)))
    return out


def load_schemas(argument: str) -> dict[str, Any]:
    """The JSON schemas of a file (for all input, under the empty name), or of a directory
    (by path, without suffixes, joined with dots); raises :class:`InputError`."""
    path = _without_scheme(argument)
    if not path.exists():
        raise InputError("file_not_found", f"{path}: no such file or directory")
    if not path.is_dir():
        return {"": to_json(read_any(path))}
    found = {}
    for file, below in _files(path, ()):
        found[".".join((*below, file.stem))] = to_json(read_any(file))
    return found


def read_any(path: Path) -> Any:
    """The value of a file that is JSON, or else YAML; raises :class:`InputError`."""
    return parsed_any(read_text(path), str(path))


def _policy_kind(value: Any) -> str | None:
    """``Policy``, ``Collection`` and so on for what adjudge reads itself, None for data."""
    if isinstance(value, dict) and str(value.get("apiVersion", "")).startswith("adjudge/"):
        return str(value.get("kind", ""))
    return None


def _without_scheme(argument: str) -> Path:
    """The path of a ``file:`` URL, or the path."""
    return Path(argument.removeprefix("file://"))


def _split_prefix(argument: str) -> tuple[tuple[str, ...], Path]:
    if argument.startswith("file://"):
        return (), _without_scheme(argument)
    if not Path(argument).exists() and ":" in argument:
        prefix, _, rest = argument.partition(":")
        if Path(rest).exists():
            return tuple(prefix.split(".") if prefix else ()), Path(rest)
    return (), Path(argument)


def _ignored(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _files(path: Path, ignore: Sequence[str]) -> Iterator[tuple[Path, tuple[str, ...]]]:
    if not path.is_dir():
        yield path, ()
        return
    stack: list[tuple[Path, tuple[str, ...]]] = [(path, ())]
    while stack:
        folder, below = stack.pop()
        if len(below) > MAX_DEPTH:
            raise InputError("folders_too_deep", f"{folder}: folders nest too deeply")
        try:
            names = sorted(os.listdir(folder))
        except OSError as e:
            raise InputError("unreadable_file", f"{folder}: {e.strerror or e}") from None
        folders = []
        for name in names:
            entry = folder / name
            if _ignored(name, ignore):
                continue
            if entry.is_dir():
                _refuse_loop(entry)
                folders.append((entry, (*below, name)))
            elif entry.is_file():
                yield entry, below
        stack.extend(reversed(folders))


def _refuse_loop(folder: Path) -> None:
    """Raise :class:`InputError` for a link to a folder that the link itself is in."""
    if folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve()):
        raise InputError("symlink_loop", f"{folder}: this link leads to a folder that it is in")


def _overlap(a: str, b: str) -> bool:
    """Whether one root is the other one or stands below it."""
    first, second = ([part for part in root.split("/") if part] for root in (a, b))
    short = min(len(first), len(second))
    return first[:short] == second[:short]


def read_text(path: Path) -> str:
    """The text of a UTF-8 file; raises :class:`InputError`."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise InputError("file_too_large", f"{path}: {size} bytes is too large")
        return decoded(path.read_bytes(), str(path))
    except OSError as e:
        raise InputError("unreadable_file", f"{path}: {e.strerror or e}") from None


def read_data(path: Path) -> Any:
    """The value of a JSON or YAML file, as a Rego value; raises :class:`InputError`."""
    text = read_text(path)
    read = parsed_yaml if path.suffix in (".yaml", ".yml") else parsed_json
    return read(text, str(path))
