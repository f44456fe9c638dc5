"""What loading policies gives: the rules, and the set they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from adjudge.errors import AdjudgeError
from adjudge.policyset.files import PolicyFile
from adjudge.rego.syntax import Module
from adjudge.source import Location

RuleKind: TypeAlias = Literal["deny", "warn"]
Severity: TypeAlias = Literal["low", "medium", "high", "critical"]

RELEASE: Final = "release"
"""What a rule applies to that does not say: the whole release."""
RUNTIME: Final = "runtime"
"""What rules about a call to a model or tool apply to."""


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One clause of a rule that makes findings.

    Clauses of one package may share an id: they are one rule to people.  ``package`` is
    dotted, ``path`` the keys below ``data`` of what the clause adds to.  ``location`` is where
    the clause begins, ``end_row`` its last line.  ``controls`` are identifiers such as
    ``eu-ai-act/13.3.b.i``.  ``effective_from`` is a date or an RFC 3339 time,
    ``effective_ns`` the same in nanoseconds since 1970.
    """

    id: str
    package: str
    name: str
    kind: RuleKind
    title: str
    description: str
    severity: Severity
    controls: tuple[str, ...]
    remediation: str
    applies_to: tuple[str, ...]
    effective_from: str | None
    effective_ns: int | None
    location: Location
    end_row: int
    path: tuple[str, ...]
    pack: str
    owner: str = ""
    links: tuple[str, ...] = ()
    has_id: bool = True

    def effective(self, now_ns: int) -> bool:
        """Whether the rule is in force at ``now_ns``; until then its denials are warnings."""
        return self.effective_ns is None or now_ns >= self.effective_ns


@dataclass(frozen=True)
class PolicySet:
    """Everything that decides: modules, base documents, and the rules that count.

    ``digest`` is over the paths and contents of ``files``, hexadecimal; ``data_files`` (given
    beside the policies) are not among them, ``data`` holds both.  ``lints`` are doubts that did
    not stop loading, with codes and places like errors.  ``rules`` may be fewer than the
    modules have: a collection or a pack was chosen.  ``packs`` are those of the rules.
    """

    name: str
    digest: str
    revision: str | None
    packs: tuple[str, ...]
    modules: tuple[Module, ...]
    test_modules: tuple[Module, ...]
    data: Mapping[str, Any]
    rules: tuple[RuleSpec, ...]
    files: tuple[PolicyFile, ...]
    data_files: tuple[PolicyFile, ...] = ()
    lints: tuple[AdjudgeError, ...] = field(default=())
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The texts of ``files`` by how messages call them."""
    v0: bool = False
    """Whether modules were read as Rego v0."""
