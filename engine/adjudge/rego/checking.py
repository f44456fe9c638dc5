"""Modules in, everything that is wrong with them out, as ``opa check`` says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adjudge.errors import AdjudgeError
from adjudge.rego.capabilities import Capabilities, all_capabilities
from adjudge.rego.errors import RegoCompileError, RegoErrors
from adjudge.rego.parser import parse_module
from adjudge.rego.passes import run_passes
from adjudge.rego.passes.model import Compilation
from adjudge.rego.syntax import Module

DEFAULT_MAX_ERRORS: Final = 10
"""How many errors ``opa check`` shows."""


def check_modules(
    modules: Mapping[str, str | Module],
    *,
    strict: bool = False,
    rego_version: int = 1,
    versions: Mapping[str, int] | None = None,
    capabilities: Capabilities | None = None,
    schemas: Mapping[str, Any] | None = None,
    max_errors: int = 0,
) -> list[AdjudgeError]:
    """All errors of modules (file name to text, or parsed), in the order of their places.

    ``versions`` gives the Rego version of single files, ``rego_version`` that of the others.
    ``schemas`` are JSON schemas by the names that annotations use (``dir/name`` for
    ``schema.dir.name``), that of all input under the empty name; without any, annotations
    that refer to one are not looked at.  What does not parse is not compiled.

    With ``max_errors`` the compiler stops at so many errors and says so (0: no limit).
    """
    granted = capabilities or all_capabilities()
    parsed: list[Module] = []
    errors: list[AdjudgeError] = []
    for name, text in sorted(modules.items()):
        if isinstance(text, Module):
            parsed.append(text)
            continue
        version = (versions or {}).get(name, rego_version)
        try:
            module = parse_module(
                text,
                name,
                version,
                builtins=granted.builtins,
                features=granted.features,
                future_keywords=granted.future_keywords,
            )
            parsed.append(module)
        except RegoErrors as e:
            errors.extend(e.errors)
    if errors:
        return RegoErrors(errors).errors
    comp = Compilation(parsed, granted, strict)
    comp.sources = {m.file: m.source for m in parsed}
    comp.schemas = schemas
    run_passes(comp)
    return _limited(comp.errors, max_errors)


def _limited(errors: list[RegoCompileError], limit: int) -> list[AdjudgeError]:
    shown = errors[:limit] if limit else errors
    ordered = RegoErrors(shown).errors if shown else []
    if limit and len(errors) >= limit:
        ordered.append(RegoCompileError("rego_compile_error", "error limit reached"))
    return ordered
