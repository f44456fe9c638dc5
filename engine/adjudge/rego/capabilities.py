"""Which builtins exist, their types, and which of them a policy may use.

Reads and writes OPA's capabilities format.  ``capabilities.json`` beside this
module declares what adjudge supports (OPA 1.22's builtins).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

WITHHELD_BY_DEFAULT = frozenset({"http.send", "net.lookup_ip_addr", "opa.runtime"})
"""Builtins that reach outside the evaluation; the gate grants none of them."""


@dataclass(frozen=True, slots=True)
class BuiltinDecl:
    """The declaration of a builtin: argument types and result type in OPA's JSON form."""

    name: str
    args: tuple[dict[str, Any], ...]
    result: dict[str, Any] | None
    variadic: bool = False
    relation: bool = False
    nondeterministic: bool = False
    deprecated: bool = False

    @property
    def arity(self) -> int:
        return len(self.args)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The builtins a compilation may use.

    ``withheld`` names builtins that exist but are not granted: using one is a
    compile error that says so.
    """

    builtins: Mapping[str, BuiltinDecl]
    withheld: frozenset[str] = frozenset()
    features: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Capabilities:
        """Read a capabilities document; raises ``KeyError`` or ``TypeError`` when malformed."""
        known = {}
        for entry in document.get("builtins", ()):
            decl = entry["decl"]
            known[entry["name"]] = BuiltinDecl(
                name=entry["name"],
                args=tuple(decl.get("args", ())),
                result=decl.get("result"),
                variadic="variadic" in decl,
                relation=bool(entry.get("relation")),
                nondeterministic=bool(entry.get("nondeterministic")),
                deprecated=bool(entry.get("deprecated")),
            )
        return cls(known, features=frozenset(document.get("features", ())))

    def without(self, names: Iterable[str]) -> Capabilities:
        """The same capabilities with ``names`` withheld."""
        return Capabilities(self.builtins, self.withheld | frozenset(names), self.features)


@cache
def all_capabilities() -> Capabilities:
    """Everything adjudge implements, nothing withheld."""
    text = (Path(__file__).parent / "capabilities.json").read_text(encoding="utf-8")
    return Capabilities.from_json(json.loads(text))


@cache
def gate_capabilities() -> Capabilities:
    """The default: no network, no environment."""
    return all_capabilities().without(WITHHELD_BY_DEFAULT)
