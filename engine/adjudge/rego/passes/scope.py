"""Which name means which variable: nested scopes of one rule, tested on its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from adjudge.source import Location


class Declared(Enum):
    """How a variable came to be declared."""

    ARG = "arg"
    ASSIGNED = "assigned"
    SOME = "declared"
    """By ``some … in`` or ``every``."""
    NAMED = "declared by name"
    """By ``some`` alone."""


class VarError(Exception):
    """A name is used or declared where it must not be."""


@dataclass(slots=True)
class _Entry:
    unique: str
    how: Declared
    loc: Location
    used: bool = False


class Scope:
    """One body (or argument list) and what it declares.

    ``pending`` holds the names that the body will declare further down: using one
    of them earlier is an error unless a scope around has it, and it hides rules of that
    name in the whole body.
    """

    __slots__ = ("entries", "parent", "pending", "plain", "referenced")

    def __init__(self, parent: Scope | None) -> None:
        self.parent = parent
        self.entries: dict[str, _Entry] = {}
        self.pending: set[str] = set()
        self.referenced: set[str] = set()
        self.plain = False

    def declares(self, name: str) -> bool:
        """Whether this very scope has declared ``name`` already."""
        return name in self.entries

    def declares_as(self, name: str, how: Declared) -> bool:
        """Whether this very scope has declared ``name`` in the way ``how``."""
        entry = self.entries.get(name)
        return entry is not None and entry.how is how

    def declare(self, name: str, unique: str, how: Declared, loc: Location) -> None:
        """Declare ``name``; raises :class:`VarError` when it was used or declared before."""
        entry = self.entries.get(name)
        if entry is not None:
            if entry.how is Declared.ARG:
                raise VarError(f"arg {name} redeclared")
            how_it_was = "assigned" if entry.how is Declared.ASSIGNED else "declared"
            raise VarError(f"var {name} {how_it_was} above")
        if how is not Declared.ARG and name in self.referenced:
            raise VarError(f"var {name} referenced above")
        if (
            self.parent is not None
            and how is not Declared.ARG
            and self.parent.declares_as(name, Declared.ARG)
        ):
            raise VarError(f"arg {name} redeclared")
        self.entries[name] = _Entry(unique, how, loc)

    def lookup(self, name: str) -> str | None:
        """The unique name, or None when no scope declares it (so far)."""
        scope: Scope | None = self
        pending = False
        while scope is not None:
            entry = scope.entries.get(name)
            if entry is not None:
                return entry.unique
            pending = pending or name in scope.pending
            scope = scope.parent
        return name if pending else None

    def use(self, name: str) -> str | None:
        """Like :meth:`lookup`, and note the use for the unused and referenced checks."""
        scope: Scope | None = self
        pending = False
        while scope is not None:
            entry = scope.entries.get(name)
            if entry is not None:
                # In OPA, a variable in place of a root never counts as used.
                entry.used = name not in ("input", "data")
                return entry.unique
            pending = pending or name in scope.pending
            scope = scope.parent
        # Only in its own body: inside a closure the name is another variable.
        self.referenced.add(name)
        return name if pending else None

    def unused(self) -> Iterator[tuple[str, Location, Declared]]:
        """Declared variables that nothing used."""
        for name, entry in self.entries.items():
            if not entry.used and name != "_":
                yield name, entry.loc, entry.how
