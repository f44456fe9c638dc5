"""Policies that stay in a running OPA, and the documents they define for one input after another.

This is what the service asks when it serves with ``--engine opa=URL``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from adjudge.decision.model import Degradation, EngineInfo
from adjudge.opa.client import EvaluationFailed, Opa, Provenance, as_path
from adjudge.opa.errors import OpaError
from adjudge.opa.target import Target
from adjudge.opa.telling import about, unverified
from adjudge.opa.workspace import RUNS, Warn, Workspace
from adjudge.rego.passes.model import path_text
from adjudge.rego.runtime.limits import Options
from adjudge.rego.runtime.values import UNDEFINED
from adjudge.rego.syntax import Module

DEPTH: Final = 12
"""Keys of a path that OPA looks up; what lies deeper is looked up in its answer."""

Key = str | int


@contextmanager
def opa_answers(
    target: Target, modules: Sequence[Module], data: Mapping[str, Any], warn: Warn
) -> Iterator[OpaAnswers]:
    """The documents of policies in the OPA at ``target``; what is pushed is taken away at the
    end.  Raises OpaError."""
    answers = OpaAnswers(Opa(target), modules, data, warn)
    try:
        answers.open()
        yield answers
    finally:
        answers.close()


class OpaAnswers:
    """See :func:`opa_answers`; safe to share between threads."""

    def __init__(
        self, opa: Opa, modules: Sequence[Module], data: Mapping[str, Any], warn: Warn
    ) -> None:
        self._opa = opa
        self._modules = modules
        self._data = data
        self._warn = warn
        self._lock = threading.Lock()
        self._workspace = Workspace(opa)
        self._provenance: Provenance | None = None

    def open(self) -> None:
        """Push the policies, if that is to be done.  Raises OpaError."""
        self._provenance = self._opa.provenance(RUNS)
        if self._opa.target.push:
            self._push(self._workspace)

    def close(self) -> None:
        """Take away what was pushed."""
        self._workspace.clear(self._warn)
        self._opa.close()

    @property
    def info(self) -> EngineInfo:
        """Which OPA it is."""
        assert self._provenance is not None, "opened first"
        return EngineInfo(name="opa", version=self._provenance.version, backend="opa")

    @property
    def degradations(self) -> Sequence[Degradation]:
        """What OPA cannot give."""
        assert self._provenance is not None, "opened first"
        target = self._opa.target
        found = list(about(target, self._provenance))
        if not target.push:
            found.append(unverified("the service does not compare them"))
        return found

    def value(self, path: Sequence[Key], input_: Any, options: Options) -> Any:
        """The document at a path below ``data`` for an input (``UNDEFINED``: none); it may be
        ``UNDEFINED``.  Raises OpaError, RegoEvalError.

        An OPA that was restarted gets the policies again.
        """
        if not self._opa.target.push:
            return self._there(path, input_, options)
        workspace = self._workspace
        try:
            return self._pushed(workspace, path, input_, options)
        except OpaError as error:
            if error.code != "opa_policies_gone":
                raise
        return self._pushed(self._again(workspace), path, input_, options)

    # -- policies that were pushed -----------------------------------------------------------

    def _push(self, workspace: Workspace) -> None:
        asking = "\n".join(_lookup(workspace, depth) for depth in range(DEPTH + 1))
        pieces = workspace.prepare(self._modules)
        workspace.push(pieces, self._data, [workspace.asking(asking)])

    def _again(self, lost: Workspace) -> Workspace:
        """A new place for the policies, in place of the one that was lost."""
        with self._lock:
            if self._workspace is lost:
                lost.clear(self._warn)
                self._workspace = Workspace(self._opa)
                self._push(self._workspace)
            return self._workspace

    def _pushed(
        self, workspace: Workspace, path: Sequence[Key], input_: Any, options: Options
    ) -> Any:
        if input_ is UNDEFINED:
            return self._without_input(workspace, path, options)
        asked, rest = path[:DEPTH], path[DEPTH:]
        question = {"document": input_, "path": list(asked), "now": options.now_ns}
        where = f"{workspace.ask_path}/at_{len(asked)}"
        found = self._document(workspace, where, question, options)
        if not isinstance(found, dict) or found.get("marker") != workspace.marker:
            raise workspace.gone()
        values = found.get("values")
        value = values[0] if isinstance(values, list) and values else UNDEFINED
        for key in rest:
            value = _at(value, key)
        return value

    def _without_input(self, workspace: Workspace, path: Sequence[Key], options: Options) -> Any:
        """No rule can make the input go away, so there is none to ask: the clock is OPA's."""
        where = as_path((*workspace.root, *path))
        value = self._document(workspace, where, UNDEFINED, options)
        if value is UNDEFINED:
            marker = self._document(workspace, f"{workspace.path}/marker", UNDEFINED, options)
            if marker != workspace.marker:
                raise workspace.gone()
        return value

    def _document(self, workspace: Workspace, path: str, question: Any, options: Options) -> Any:
        try:
            return self._opa.document(
                path,
                question,
                strict=options.strict_builtin_errors,
                seconds=options.limits.seconds,
            )
        except EvaluationFailed as error:
            raise workspace.error(error.failure, None) from None

    # -- policies that are there already -----------------------------------------------------

    def _there(self, path: Sequence[Key], input_: Any, options: Options) -> Any:
        return self._document(self._workspace, as_path(path), input_, options)


def _lookup(workspace: Workspace, depth: int) -> str:
    """A rule that gives the document at a path of so many keys."""
    document = path_text(workspace.root) + "".join(f"[path[{n}]]" for n in range(depth))
    return f"""at_{depth} := {{"marker": {workspace.marker_text}, "values": values}} if {{
	path := input.path
	values := [v | v := {document}]
		with input as input.document
		with time.now_ns as input.now
}}
"""


def _at(value: Any, key: Key) -> Any:
    if isinstance(value, dict):
        return value.get(key, UNDEFINED)
    if isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
        return value[key]
    return UNDEFINED
