"""Policies and data in, a place of their own in a running OPA out; it is cleared afterwards.

Everything stands below ``data.adjudge_runs.<name>``, and policies have ids that begin with
``adjudge_runs/<name>/``.  The name is random, so that runs do not meet, and nothing else in
the OPA is read or written.  Below ``root`` stand the policies and their data, as if ``root``
were ``data``; ``ask`` holds what queries need; ``marker`` says that all of it is there.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from adjudge.opa.client import Failure, Opa
from adjudge.opa.errors import OpaError
from adjudge.opa.moving import Copy, Moved, Root, move, stubs
from adjudge.rego.errors import RegoEvalError
from adjudge.rego.passes.model import path_text
from adjudge.rego.syntax import Module
from adjudge.source import Location

RUNS: Final = "adjudge_runs"
PUSH_SECONDS: Final = 120.0
"""How long it may take to push everything, and again to clear it."""

Warn = Callable[[str], None]


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
        return (RUNS, self.name, "root")

    @property
    def ask(self) -> Root:
        """The package of queries."""
        return (RUNS, self.name, "ask")

    @property
    def ask_path(self) -> str:
        """The path of the package of queries, as the API writes it."""
        return "/".join(self.ask)

    def push(
        self,
        modules: Iterable[Module],
        data: Mapping[str, Any],
        asking: Sequence[Moved],
        copies: Mapping[Location, Copy] | None = None,
        sign: str | None = None,
    ) -> None:
        """Push policies, data, and last ``asking``: modules with rules to be asked for.

        The module with number N also gets the rule ``<sign>N``, see :func:`move`.

        Raises OpaError; then some of it may be there, and :meth:`clear` is to be called.
        """
        modules = list(modules)
        moved = [
            move(each, self.root, copies or {}, f"{sign}{number}" if sign else None)
            for number, each in enumerate(modules)
        ]
        declared = [Moved(text, "", {}) for text in stubs(modules, self.root).values()]
        end = time.monotonic() + PUSH_SECONDS
        self._put_data(data)
        for number, each in enumerate([*declared, *moved, *asking]):
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
            self.opa.put_data(self.path, {"root": dict(data), "marker": self.marker})
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
            if not module.file or error.code != "opa_policy_refused":
                raise
            place = Location(module.file, 1, 1)
            said = self.plain(error.message)
            raise OpaError(error.code, said, location=place, hint=error.hint) from None

    def clear(self, warn: Warn) -> None:
        """Take everything away again; what cannot be is told, not raised.

        The declarations of functions go last: OPA does not let go of what is called.
        """
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
