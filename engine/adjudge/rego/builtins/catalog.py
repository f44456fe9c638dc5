"""Finds the function behind a builtin's name, importing its family only then."""

from __future__ import annotations

import importlib
import pkgutil

from adjudge.rego.builtins import registry
from adjudge.rego.builtins.registry import Builtin


def find(name: str) -> Builtin | None:
    """The builtin, or None when nothing implements it."""
    found = registry.declared().get(name)
    if found is None:
        _import_all()
        found = registry.declared().get(name)
    return found


def _import_all() -> None:
    package = importlib.import_module("adjudge.rego.builtins")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
