"""Which builtins exist, their types, and which of them a policy may use.

Reads OPA's capabilities format.  ``capabilities.json`` beside this module declares what
adjudge supports (OPA 1.22's builtins), ``capability_versions.json`` since which version of
OPA there is what.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
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
    compile error that says so.  ``features`` and ``future_keywords`` say what the parser
    may read; None: what the version of Rego has.
    """

    builtins: Mapping[str, BuiltinDecl]
    withheld: frozenset[str] = frozenset()
    features: frozenset[str] | None = None
    future_keywords: frozenset[str] | None = None

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
        return cls(
            known,
            features=frozenset(document.get("features") or ()),
            future_keywords=frozenset(document.get("future_keywords") or ()),
        )

    def without(self, names: Iterable[str]) -> Capabilities:
        """The same capabilities with ``names`` withheld."""
        return replace(self, withheld=self.withheld | frozenset(names))


@cache
def all_capabilities() -> Capabilities:
    """Everything adjudge implements, nothing withheld."""
    text = (Path(__file__).parent / "capabilities.json").read_text(encoding="utf-8")
    return Capabilities(Capabilities.from_json(json.loads(text)).builtins)


@cache
def version_capabilities(version: str) -> Capabilities:
    """What a version of OPA (``v1.2.3``) supports, with the argument types of today.

    Raises ``KeyError`` for a version that there is not.
    """
    text = (Path(__file__).parent / "capability_versions.json").read_text(encoding="utf-8")
    document = json.loads(text)
    versions: list[str] = document["versions"]
    if version not in versions:
        raise KeyError(version)
    found: dict[str, set[str]] = {"builtins": set(), "features": set(), "future_keywords": set()}
    for each in versions[: versions.index(version) + 1]:
        for kind, names in document["since"].get(each, {}).items():
            found[kind].update(names)
    known = all_capabilities().builtins
    return Capabilities(
        {name: known[name] for name in known if name in found["builtins"]},
        features=frozenset(found["features"]),
        future_keywords=frozenset(found["future_keywords"]),
    )


@cache
def gate_capabilities() -> Capabilities:
    """The default: no network, no environment."""
    return all_capabilities().without(WITHHELD_BY_DEFAULT)
