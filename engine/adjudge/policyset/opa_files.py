"""Files the way ``opa`` loads them in: modules and base documents out.

A directory is walked; every ``.rego`` file is a module, every JSON or YAML file a base
document under the path of its directory.  YAML policies are modules, too; collections are
left out.  A prefix ``a.b:path`` puts a document below
``data.a.b``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adjudge.documents.model import Parsed
from adjudge.documents.reading import read_json, read_yaml
from adjudge.errors import InputError
from adjudge.policyset.inputs import input_schemas
from adjudge.rego.syntax import Module
from adjudge.yamlpolicy import compile_policy

MAX_FILE_BYTES = 256 * 1024 * 1024
DATA_SUFFIXES = (".json", ".yaml", ".yml")


@dataclass(slots=True)
class OpaFiles:
    """Module texts (or trees, of YAML policies) by file name, and the merged base documents."""

    modules: dict[str, str | Module] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    owners: dict[tuple[str, ...], str] = field(default_factory=dict)


def load_opa_files(paths: Sequence[str]) -> OpaFiles:
    """Load files and directories; raises :class:`InputError` for what cannot be read,
    and for two documents that claim the same place."""
    out = OpaFiles()
    for argument in paths:
        prefix, path = _split_prefix(argument)
        if not path.exists():
            raise InputError("file_not_found", f"{path}: no such file or directory")
        for file, below in _files(path):
            keys = (*prefix, *below)
            if file.suffix == ".rego":
                out.modules[str(file)] = read_text(file)
            elif file.suffix in DATA_SUFFIXES:
                parsed = read_data(file)
                kind = _policy_kind(parsed.value)
                if kind == "Policy":
                    text = read_text(file)
                    compiled = compile_policy(text, str(file), input_schemas())
                    out.modules[str(file)] = compiled.module
                elif kind is None:
                    _merge(out, keys, parsed.value, str(file))
    return out


def _policy_kind(value: Any) -> str | None:
    """``Policy``, ``Collection`` and so on for what adjudge reads itself, None for data."""
    if isinstance(value, dict) and str(value.get("apiVersion", "")).startswith("adjudge/"):
        return str(value.get("kind", ""))
    return None


def _split_prefix(argument: str) -> tuple[tuple[str, ...], Path]:
    if not Path(argument).exists() and ":" in argument:
        prefix, _, rest = argument.partition(":")
        if Path(rest).exists():
            keys = prefix.removeprefix("data.").split(".") if prefix else []
            return tuple(keys), Path(rest)
    return (), Path(argument)


def _files(path: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    if path.is_file():
        yield path, ()
        return
    for file in sorted(path.rglob("*")):
        relative = file.relative_to(path)
        if any(part.startswith(".") for part in relative.parts):
            continue
        if file.is_file():
            yield file, relative.parts[:-1]


def read_text(path: Path) -> str:
    """The text of a UTF-8 file; raises :class:`InputError`."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise InputError("file_too_large", f"{path}: {size} bytes is too large")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as e:
        raise InputError("unreadable_file", f"{path}: {e.strerror or e}") from None
    except UnicodeDecodeError as e:
        raise InputError(
            "invalid_utf8",
            f"{path}: byte {e.start} is not UTF-8",
            hint="policies and data are UTF-8 text",
        ) from None


def read_data(path: Path) -> Parsed:
    """A JSON or YAML file; raises :class:`InputError`."""
    text = read_text(path)
    return read_json(text, str(path)) if path.suffix == ".json" else read_yaml(text, str(path))


def _merge(out: OpaFiles, keys: tuple[str, ...], value: Any, file: str) -> None:
    node = out.data
    for key in keys:
        node = node.setdefault(key, {})
    if not isinstance(value, dict):
        raise InputError(
            "data_not_object",
            f"{file}: base documents must be objects",
            hint="wrap the value in an object, or give it a name with NAME:PATH",
        )
    _merge_objects(node, value, file, keys)


def _merge_objects(into: dict[str, Any], value: dict[str, Any], file: str, at: Any) -> None:
    for key, item in value.items():
        known = into.get(key)
        if key not in into:
            into[key] = item
        elif isinstance(known, dict) and isinstance(item, dict):
            merged = dict(known)
            _merge_objects(merged, item, file, (*at, key))
            into[key] = merged
        elif known != item:
            where = ".".join(("data", *at, key))
            raise InputError("data_conflict", f"{file}: {where} has another value elsewhere")
