"""Policies and data in, a place of their own in a running OPA out; it is cleared afterwards.

Everything stands below ``data.adjudge_runs.<name>``, and policies have ids that begin with
``adjudge_runs/<name>/``.  The name is random, so that runs do not meet, and nothing else in
the OPA is read or written.  Below ``adjudge_root`` stand the policies and their data, as if that
were ``data``; ``ask`` holds what queries need; ``marker`` says that all of it is there.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from adjudge.opa.client import Failure, Opa
from adjudge.opa.errors import OpaError
from adjudge.opa.merging import mergeable, merged
from adjudge.opa.moving import Copy, Moved, Root, move, moved, stubs, with_copies, write
from adjudge.rego.errors import RegoEvalError
from adjudge.rego.passes.model import path_text
from adjudge.rego.syntax import Head, Module, Rule, Scalar, Var
from adjudge.source import Location

RUNS: Final = "adjudge_runs"
SIGN: Final = "adjudge_here_"
TOP: Final = "adjudge_root"
"""What policies take for ``data``; no variable of a policy is called so."""
PUSH_SECONDS: Final = 120.0
"""How long it may take to push everything, and again to clear it."""

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """A policy to be pushed, and the path of the rule that tells that it is there."""

    module: Moved
    sign: Root | None = None


class Workspace:
    """The place of one run in an OPA."""

    def __init__(self, opa: Opa) -> None:
        self.opa = opa
        self.name = f"r{secrets.token_hex(8)}"
        self.marker = secrets.token_hex(8)
        self.moved: dict[str, Moved] = {}
        """What was pushed, by policy id."""
        self._policies: list[str] = []
        self._data = False

    @property
    def path(self) -> str:
        """The path of everything below ``data``, as the API writes it."""
        return f"{RUNS}/{self.name}"

    @property
    def root(self) -> Root:
        """Where what policies take for ``data`` stands."""
        return (RUNS, self.name, TOP)

    @property
    def ask(self) -> Root:
        """The package of queries."""
        return (RUNS, self.name, "ask")

    @property
    def ask_path(self) -> str:
        """The path of the package of queries, as the API writes it."""
        return "/".join(self.ask)

    def prepare(
        self,
        modules: Sequence[Module],
        copies: Mapping[Location, Copy] | None = None,
        *,
        signed: bool = False,
        apart: bool = False,
    ) -> list[Piece]:
        """What is to be pushed of modules: as few policies as possible.

        ``signed``: each has a rule that tells that it is there.  ``apart``: each module stays
        one, for queries that are in a package.  Raises OpaError ``opa_policy_inexpressible``.
        """
        given = [with_copies(module, copies or {}) for module in modules]
        alone = [module for module in given if apart or not mergeable(module)]
        together = [module for module in given if not apart and mergeable(module)]
        trees = [move(module, self.root) for module in alone]
        if together:
            rules = moved(merged(together, TOP), self.root)
            trees.append(Module(self.root[:-1], (), rules, file=together[0].file))
        pieces = [Piece(Moved(text, "", {})) for text in stubs(trees).values()]
        for number, tree in enumerate(trees):
            sign = (*tree.package, f"{SIGN}{number}") if signed else None
            if sign is not None:
                rule = Rule(Head(Var(sign[-1]), value=Scalar(True), assign=True))
                tree = replace(tree, rules=(*tree.rules, rule))
            pieces.append(Piece(self._written(tree, together), sign))
        return pieces

    def _written(self, tree: Module, together: Iterable[Module]) -> Moved:
        try:
            return write(tree)
        except OpaError:
            # Which of them is it?
            for module in together:
                write(move(module, self.root))
            raise

    def push(
        self, pieces: Iterable[Piece], data: Mapping[str, Any], asking: Sequence[Moved]
    ) -> None:
        """Push data, policies, and last ``asking``: modules with rules to be asked for.

        Raises OpaError; then some of it may be there, and :meth:`clear` is to be called.
        """
        end = time.monotonic() + PUSH_SECONDS
        self._put_data(data)
        for number, each in enumerate([*(piece.module for piece in pieces), *asking]):
            if time.monotonic() > end:
                raise OpaError(
                    "opa_timeout",
                    f"the OPA at {self.opa.target.url} took longer than {PUSH_SECONDS:.0f} s"
                    " to take in the policies",
                    hint="push them as a bundle and use --opa-no-push",
                )
            self._put(f"{self.path}/{number}.rego", each)

    def asking(self, rules: str) -> Moved:
        """Rules of the package of queries, as a module."""
        package = path_text(self.ask).removeprefix("data.")
        return Moved(f"package {package}\n\n{rules}", "", {})

    @property
    def marker_text(self) -> str:
        """The reference to the marker."""
        return path_text((*self.root[:-1], "marker"))

    def _put_data(self, data: Mapping[str, Any]) -> None:
        self._data = True
        try:
            self.opa.put_data(self.path, {TOP: dict(data), "marker": self.marker})
        except OpaError as error:
            # After a time-out it may be there.
            self._data = error.code in ("opa_timeout", "opa_failed", "opa_answer_invalid")
            raise

    def _put(self, policy: str, module: Moved) -> None:
        self._policies.append(policy)
        self.moved[policy] = module
        try:
            self.opa.put_policy(policy, module.text)
        except OpaError as error:
            at = error.location
            place = None if at is None else self.original(policy, at.row, at.col)
            said = self.plain(error.message)
            raise OpaError(error.code, said, location=place, hint=error.hint) from None

    def clear(self, warn: Warn) -> None:
        """Take everything away again; what cannot be is told, not raised.

        What interrupts this waits until it is done; only a second time it does not.
        """
        try:
            self._clear(warn)
        except KeyboardInterrupt:
            self._clear(warn)
            raise

    def _clear(self, warn: Warn) -> None:
        end = time.monotonic() + PUSH_SECONDS
        try:
            self._delete_policies(end)
            if self._data:
                self.opa.delete_data(self.path)
                self._data = False
        except OpaError as error:
            warn(
                f"what was pushed could not be taken away from the OPA at {self.opa.target.url}:"
                f" policies {self.path}/*, data {self.path} ({error.message})"
            )

    def _delete_policies(self, end: float) -> None:
        """Delete policies, the declarations of functions last: OPA does not let go of what is
        called."""
        while self._policies:
            called: list[str] = []
            for policy in reversed(self._policies):
                if time.monotonic() > end:
                    raise OpaError("opa_timeout", "it takes too long")
                try:
                    self.opa.delete_policy(policy)
                except OpaError as error:
                    # Somebody else deleted a declaration: it can go after its callers.
                    if error.code != "opa_policy_refused" or len(called) + 1 == len(self._policies):
                        raise
                    called.insert(0, policy)
            self._policies = called

    def plain(self, text: str) -> str:
        """What OPA says, about policies as they were written."""
        text = text.replace(path_text(self.root), "data")
        return self._places.sub(self._place, text)

    @cached_property
    def _places(self) -> re.Pattern[str]:
        return re.compile(rf"({self.path}/[0-9]+\.rego):([0-9]{{1,9}})")

    def _place(self, match: re.Match[str]) -> str:
        place = self.original(match[1], int(match[2]))
        return f"{place.file}:{place.row}" if place is not None else match[0]

    def original(self, policy: str, row: int, col: int = 1) -> Location | None:
        """The place in a policy as it was written that a place in what was pushed stands for."""
        source = self.moved.get(policy)
        return source.original(row, col) if source is not None and source.places else None

    def error(self, failure: Failure, otherwise: Location | None) -> RegoEvalError:
        """An error of OPA's, about the policy as it was written."""
        place = self.original(failure.file, failure.row, failure.col) or otherwise
        return RegoEvalError(failure.code, self.plain(failure.message), location=place)

    def gone(self) -> OpaError:
        """What is raised when an answer shows that not everything is there any more."""
        return OpaError(
            "opa_policies_gone",
            f"the OPA at {self.opa.target.url} no longer has the policies that were pushed",
            hint="was it restarted, or were they deleted? Try again",
        )
