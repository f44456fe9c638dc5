"""An OPA bundle, archive or directory, in; its modules and base documents out.

A bundle is a tree: ``data.json`` or ``data.yaml`` is the base document at the path of its
directory, a ``.rego`` file a module, ``.manifest`` says below which paths of ``data`` the
bundle may put things (``roots``) and in which version of Rego it is written.  Nothing else
is read.  Archives are hostile: names, sizes and numbers of files are bounded.
"""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from adjudge.errors import InputError
from adjudge.policyset.opa_values import MAX_FILE_BYTES, decoded, parsed_json, parsed_yaml
from adjudge.rego.parser import parse_module
from adjudge.rego.syntax import Module

ARCHIVE: Final = ".tar.gz"
MANIFEST: Final = ".manifest"
DATA_NAMES: Final = frozenset({"data.json", "data.yaml", "data.yml"})
MAX_FILES: Final = 100_000


class Conflict(Exception):
    """Two documents claim the same place: ``path`` below ``data``."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(path)
        self.path = path


@dataclass(slots=True)
class Bundle:
    """A bundle: its parsed modules by file name, its data, what its manifest says."""

    name: str
    modules: dict[str, str | Module] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)
    roots: tuple[str, ...] = ("",)


def merge_into(into: dict[str, Any], value: dict[str, Any], at: tuple[str, ...] = ()) -> None:
    """Merge objects into one another; raises :class:`Conflict` where they are not both
    objects.  Objects of ``value`` may become parts of ``into``."""
    for key, item in value.items():
        if key not in into:
            into[key] = item
            continue
        known = into[key]
        if not isinstance(known, dict) or not isinstance(item, dict):
            raise Conflict((*at, str(key)))
        merge_into(known, item, (*at, str(key)))


def read_bundle(
    path: Path, rego_version: int = 1, ignored: Callable[[str], bool] = lambda name: False
) -> Bundle:
    """Read a bundle; raises :class:`InputError`, and ``RegoErrors`` for bad modules.

    ``ignored`` tells which names of files and directories to leave out.
    """
    bundle = Bundle(str(path))
    texts: dict[str, str] = {}
    for name, data in _entries(path, ignored):
        file = name.rpartition("/")[2]
        shown = f"{path}/{name}"
        if name == MANIFEST:
            bundle.manifest = _manifest(parsed_json(decoded(data, shown), shown), shown)
        elif name == "patch.json":
            raise _bad(shown, "delta bundles are not supported", "build a snapshot bundle")
        elif file in DATA_NAMES:
            text = decoded(data, shown)
            read = parsed_json if file.endswith(".json") else parsed_yaml
            _add_data(bundle, name, read(text, shown), shown)
        elif file.endswith(".rego"):
            texts[name] = decoded(data, shown)
    roots = bundle.manifest.get("roots")
    if roots is not None:
        bundle.roots = tuple(root.strip("/") for root in roots)
    for name, text in texts.items():
        shown = f"{path}/{name}"
        version = _version(bundle.manifest, name, rego_version)
        bundle.modules[shown] = parse_module(text, shown, version)
    _check_roots(bundle)
    return bundle


def _bad(name: str, message: str, hint: str | None = None) -> InputError:
    return InputError("invalid_bundle", f"{name}: {message}", hint=hint)


# -- files ---------------------------------------------------------------------------------


def _entries(path: Path, ignored: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Names, relative to the bundle, and contents of the files that matter, in order."""
    entries = _folder(path) if path.is_dir() else _archive(path)
    for name, read in entries:
        parts = name.split("/")
        if any(ignored(part) for part in parts):
            continue
        yield name, read()


def _wanted(name: str) -> bool:
    file = name.rpartition("/")[2]
    return file in DATA_NAMES or file.endswith(".rego") or name in (MANIFEST, "patch.json")


def _folder(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for folder, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(files):
            file = Path(folder) / name
            relative = file.relative_to(path).as_posix()
            if _wanted(relative) and file.is_file():
                yield relative, lambda file=file: _read(file)  # type: ignore[misc]


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise _bad(str(file), "the file is too large")
        return file.read_bytes()
    except OSError as e:
        raise InputError("unreadable_file", f"{file}: {e.strerror or e}") from None


def _archive(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    seen: set[str] = set()
    left = MAX_FILE_BYTES
    try:
        with tarfile.open(path, "r:gz") as archive:
            for count, member in enumerate(archive):
                if count >= MAX_FILES:
                    raise _bad(str(path), f"more than {MAX_FILES} files")
                if not member.isfile():
                    continue
                name = _inside(member.name, path)
                if not _wanted(name):
                    continue
                if name in seen:
                    raise _bad(str(path), f"two files are called {name}")
                seen.add(name)
                left -= member.size
                if left < 0:
                    raise _bad(str(path), f"more than {MAX_FILE_BYTES} bytes")
                stream = archive.extractfile(member)
                assert stream is not None
                yield name, lambda stream=stream: _all_of(stream)  # type: ignore[misc]
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, OSError) as e:
        raise _bad(str(path), f"not a gzipped tar archive ({e})") from None


def _all_of(stream: IO[bytes]) -> bytes:
    return stream.read()


def _inside(name: str, path: Path) -> str:
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", ".")]
    if ".." in parts:
        raise _bad(str(path), f"the name {name!r} leads out of the bundle")
    return "/".join(parts)


# -- content -------------------------------------------------------------------------------


def _manifest(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _bad(name, "the manifest is not an object")
    roots = value.get("roots")
    if roots is not None:
        if not isinstance(roots, list) or not all(isinstance(r, str) for r in roots):
            raise _bad(name, "roots must be an array of strings")
    versions = value.get("file_rego_versions", {})
    known = [value.get("rego_version"), *(versions.values() if isinstance(versions, dict) else ())]
    for version in known:
        if version not in (None, 0, 1):
            raise _bad(name, f"unknown Rego version {version}")
    return value


def _version(manifest: dict[str, Any], name: str, default: int) -> int:
    for pattern, version in sorted((manifest.get("file_rego_versions") or {}).items()):
        if fnmatchcase(name, str(pattern).lstrip("/")):
            return int(version)
    version = manifest.get("rego_version")
    return default if version is None else int(version)


def _add_data(bundle: Bundle, name: str, value: Any, shown: str) -> None:
    # A dot that the first folder's name begins with is no part of the path, as in OPA.
    for key in reversed(name.lstrip("./").split("/")[:-1]):
        value = {key: value}
    if not isinstance(value, dict):
        raise _bad(shown, "the data at the root of a bundle must be an object")
    try:
        merge_into(bundle.data, value)
    except Conflict as conflict:
        where = ".".join(("data", *conflict.path))
        raise _bad(shown, f"conflicting values at {where}") from None


def _check_roots(bundle: Bundle) -> None:
    roots = [[part for part in root.split("/") if part] for root in bundle.roots]
    shown = " ".join(bundle.roots)
    for name, module in bundle.modules.items():
        assert isinstance(module, Module)
        if not any(list(module.package[: len(root)]) == root for root in roots):
            package = ".".join(module.package)
            raise _bad(
                bundle.name,
                f"manifest roots [{shown}] do not permit 'package {package}' in module '{name}'",
            )
    outside = _outside(bundle.data, roots, [])
    if outside is not None:
        raise _bad(
            bundle.name,
            f"manifest roots [{shown}] do not permit data at path '/{'/'.join(outside)}'",
            "check the bundle's directory structure",
        )


def _outside(value: Any, roots: list[list[str]], at: list[str]) -> list[str] | None:
    """The path of some data that no root permits."""
    if any(at[: len(root)] == root for root in roots):
        return None
    if not isinstance(value, dict) or not any(root[: len(at)] == at for root in roots):
        return at
    for key, item in value.items():
        found = _outside(item, roots, [*at, str(key)])
        if found is not None:
            return found
    return None
