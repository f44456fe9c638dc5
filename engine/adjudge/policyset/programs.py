"""Modules in, a Program out, from the cache where the same modules were compiled before.

What is kept is keyed by a digest of everything that decides what compiling gives: the
modules' texts and names, the options, the capabilities, the engine and the Python.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache as remembered
from pathlib import Path
from typing import Any, Final

from adjudge import cache
from adjudge.rego import Program, compile_modules
from adjudge.rego.capabilities import Capabilities, all_capabilities
from adjudge.rego.passes.model import Compilation
from adjudge.rego.program import FORMAT
from adjudge.rego.syntax import Module
from adjudge.version import __version__

_open: list[tuple[cache.Cache, str, Program]] = []
"""Programs of this process that :func:`keep` has not looked at yet."""


def compiled(
    modules: Mapping[str, str | Module],
    *,
    data: Mapping[str, Any] | None = None,
    capabilities: Capabilities | None = None,
    rego_version: int = 1,
    strict: bool = False,
    schemas: Mapping[str, Any] | None = None,
    rewrite: Callable[[Compilation], None] | None = None,
    rewritten: str = "",
) -> Program:
    """As :func:`~adjudge.rego.compile_modules`; nothing is compiled again where the cache has it.

    ``rewritten`` says what ``rewrite`` does: it is part of the key.  :func:`keep` puts what
    was compiled into the cache.  Raises ``RegoErrors``, and InputError ``cache_dir_invalid``.
    """
    kept = cache.current()
    name = ""
    if kept is not None:
        granted = capabilities or all_capabilities()
        name = _name(modules, granted, [rego_version, strict, schemas, rewritten])
    program = compile_modules(
        modules,
        data=data,
        capabilities=capabilities,
        rego_version=rego_version,
        strict=strict,
        schemas=schemas,
        rewrite=rewrite,
        keep=kept is not None,
        dumped=kept.read(name) if kept is not None else None,
    )
    if kept is not None:
        _open.append((kept, name, program))
    return program


def keep() -> None:
    """Put into the cache what was compiled since the last call; to be called when the work
    is done: rules are compiled when they are first needed."""
    while _open:
        kept, name, program = _open.pop()
        if program.grown:
            kept.write(name, program.dump())


def _name(
    modules: Mapping[str, str | Module], capabilities: Capabilities, options: list[Any]
) -> str:
    digest = hashlib.sha256()
    for part in _parts(modules, capabilities, options):
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()


def _parts(
    modules: Mapping[str, str | Module], capabilities: Capabilities, options: list[Any]
) -> Iterator[bytes]:
    """What decides what compiling gives; each part is told apart by its length."""
    yield f"{__version__} {FORMAT} {sys.implementation.cache_tag} {sys.version}".encode()
    yield from _engine()
    yield json.dumps(options, sort_keys=True).encode()
    everything = all_capabilities()
    if capabilities.builtins is not everything.builtins:
        yield repr(sorted(capabilities.builtins.items())).encode()
    yield repr(sorted(capabilities.withheld)).encode()
    for words in (capabilities.features, capabilities.future_keywords):
        yield b"" if words is None else repr(sorted(words)).encode()
    for name, module in modules.items():
        if isinstance(module, Module):
            yield repr((name, module.file, module.package, module.rego_version)).encode()
            yield module.source.encode(errors="surrogateescape")
        else:
            yield repr(name).encode()
            yield module.encode(errors="surrogateescape")


_ENGINE: Final = ("rego", "yamlpolicy", "documents/schemas")
"""The folders of this package that decide what a policy is compiled to."""


@remembered
def _engine() -> tuple[bytes, ...]:
    """The engine's files with their sizes and times: an engine that is being worked on has
    one version and many meanings."""
    root = Path(__file__).resolve().parents[1]
    found = []
    for folder in _ENGINE:
        for above, folders, files in os.walk(root / folder):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in files:
                status = os.stat(os.path.join(above, name))
                found.append(f"{above} {name} {status.st_size} {status.st_mtime_ns}")
    return tuple(line.encode(errors="surrogateescape") for line in sorted(found))
