"""The answers of nondeterministic builtins: taken from an evaluation, given to another one.

An evaluation asks ``time.now_ns``, ``rand.intn``, ``uuid.rfc4122``, ``http.send`` and their
like once for the same arguments, and keeps what they answered.  Evaluated again with that
recording, the same policies over the same documents come to the same result, whatever the
time is then and whoever answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.runtime.text import from_json, to_json, to_json_text
from adjudge.rego.runtime.values import UNDEFINED, RegoSet, Value, unbox

_GIVES_SET: Final = frozenset({"net.lookup_ip_addr"})
"""Builtins whose answers are sets, which JSON has as arrays."""


class Recording:
    """Answers by builtin and arguments; immutable and safe to share."""

    def __init__(self, answers: Mapping[tuple[str, str], Value]) -> None:
        self._answers = dict(answers)

    @classmethod
    def of(cls, nondeterminism: Mapping[str, Mapping[Any, Value]]) -> Recording:
        """The recording of an evaluation, from its ``context.shared.nondeterminism``."""
        return cls(
            {
                (name, to_json_text(unbox(arguments))): answer
                for name, answers in nondeterminism.items()
                for arguments, answer in answers.items()
                if answer is not UNDEFINED
            }
        )

    @classmethod
    def from_json(cls, entries: Iterable[Mapping[str, Any]]) -> Recording:
        """A recording from what :meth:`to_json` gave, as a JSON parser reads it."""
        answers: dict[tuple[str, str], Value] = {}
        for entry in entries:
            name, answer = entry["builtin"], from_json(entry["result"])
            if name in _GIVES_SET and isinstance(answer, list):
                answer = RegoSet(answer)
            answers[name, to_json_text(from_json(entry["arguments"]))] = answer
        return cls(answers)

    def to_json(self) -> list[dict[str, Any]]:
        """The recording as JSON: ``[{"builtin": name, "arguments": […], "result": value}]``."""
        return [
            {"builtin": name, "arguments": json.loads(arguments), "result": to_json(answer)}
            for (name, arguments), answer in sorted(self._answers.items(), key=lambda a: a[0])
        ]

    def answer(self, name: str, arguments: list[Value]) -> Value:
        """What a builtin answered; raises :class:`BuiltinError` when it was not asked, or
        could not answer, which makes the call undefined as it was then."""
        found = self._answers.get((name, to_json_text(arguments)), UNDEFINED)
        if found is UNDEFINED:
            raise BuiltinError("the recording holds no answer to these arguments")
        return found
