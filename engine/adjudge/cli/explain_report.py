"""Explanations in; text for people or JSON out."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from adjudge.cli.lint_report import Look
from adjudge.cli.terminal import safe
from adjudge.documents.model import join
from adjudge.explanation import Change, Clause, Counterfactual, Explanation, Expression, Ground
from adjudge.exports.escape import defuse_commands, one_line
from adjudge.exports.report import plural
from adjudge.source import Location

_MARKS: Final = {"held": ("yes", "32"), "failed": ("NO", "31;1"), "not_reached": ("-", "2")}
_OUTCOMES: Final = {
    "fail": ("it fails", "31;1"),
    "error": ("it could not be evaluated", "31;1"),
    "warn": ("it warns", "33;1"),
    "pass": ("it passes", "32;1"),
    "not_applicable": ("it does not apply", "2"),
    "defined": ("it has a value", "1"),
    "empty": ("nothing is in it", "1"),
}
_STOPPED: Final = {
    "time": "the time was up",
    "tries": "that is as far as the search goes",
    "exhausted": "nothing was left to try",
}
_FLIPPED: Final = {
    "fail": "It would pass",
    "warn": "It would pass",
    "pass": "It would find something",
    "true": "It would not be true",
    "defined": "It would be undefined or empty",
    "false": "It would be true",
    "undefined": "It would be defined",
    "empty": "It would hold something",
}
MAX_SHOWN: Final = 210
MAX_CHANGES: Final = 20
MAX_CLAUSES: Final = 20
"""Clauses of a rule shown that did nothing of interest."""


class Writer:
    """Lines about explanations, as wide as ``look`` says."""

    def __init__(self, look: Look) -> None:
        self.look = look

    def text(self, explanation: Explanation, ground: Ground) -> str:
        """Everything about one input, ending in a line end."""
        return "".join(f"{line}\n" for line in self._lines(explanation, ground))

    def _lines(self, explanation: Explanation, ground: Ground) -> Iterator[str]:
        words, color = _OUTCOMES.get(explanation.outcome, (f"it is {explanation.outcome}", "1"))
        kind = f" ({explanation.kind})" if explanation.kind not in ("release", "input") else ""
        yield f"{safe(explanation.subject)}{kind}: {self.look.paint(words, color)}"
        for finding in explanation.findings:
            yield from self._wrapped(f"! {one_line(finding)}", "  ", "    ")
        for clause in explanation.clauses[:MAX_CLAUSES]:
            yield ""
            yield from self._clause(clause, "  ")
        if len(explanation.clauses) > MAX_CLAUSES:
            yield f"  … {plural(len(explanation.clauses) - MAX_CLAUSES, 'more clause')}"
        if explanation.readings:
            yield ""
            yield f"  {self.look.paint('read', '1')}"
        for reading in explanation.readings:
            shown = "(nothing there)" if reading.shown is None else one_line(reading.shown)
            line = f"{safe(reading.pointer)} = {shown}"
            yield from self._wrapped(line, "    ", "      ", _place(reading.place))
        if explanation.counterfactual is not None:
            yield ""
            yield from self._counterfactual(explanation, explanation.counterfactual, ground)

    def _clause(self, clause: Clause, indent: str, file: str = "") -> Iterator[str]:
        if clause.solutions:
            times = f" {clause.solutions} times" if clause.solutions > 1 else ""
            words, color = f"holds{times}", "33"
        else:
            words, color = "does not hold", "2"
        verdict = self.look.paint(words, color)
        name = self.look.paint(safe(clause.rule), "1")
        # Within an explanation the file is known, mostly.
        same = clause.location.file == file
        place = f":{clause.location.row}" if same else _at(clause.location)
        plain = f"{indent}{safe(clause.rule)} {words}"
        if len(plain) + 2 + len(place) > self.look.width:
            yield f"{indent}{name} {verdict}"
            yield f"{indent}  {place}"
        else:
            room = self.look.width - len(plain) if same else 0
            yield f"{indent}{name} {verdict}{place.rjust(room) if same else f'  {place}'}"
        for expression in clause.expressions:
            yield from self._expression(expression, f"{indent}  ")

    def _expression(self, expression: Expression, indent: str) -> Iterator[str]:
        mark, color = _MARKS[expression.status]
        first = f"{indent}{self.look.paint(f'{mark:<3}', color)} "
        rest = f"{indent}    "
        row = f":{expression.location.row}" if expression.location.row else ""
        lines = self._wrapped(one_line(expression.text, MAX_SHOWN), rest, f"{rest}  ", row)
        yield first + lines[0].removeprefix(rest)
        yield from lines[1:]
        if expression.status == "not_reached":
            return
        for name, value in expression.values:
            shown = "(undefined)" if value is None else one_line(value, MAX_SHOWN)
            yield from self._wrapped(f"{one_line(name)} = {shown}", f"{rest}  ", f"{rest}    ")
        for clause in expression.because:
            yield from self._clause(clause, f"{rest}  ", expression.location.file)

    def _counterfactual(
        self, explanation: Explanation, found: Counterfactual, ground: Ground
    ) -> Iterator[str]:
        flipped = _FLIPPED.get(explanation.outcome, "It would change")
        if found.changes is None:
            why = _STOPPED[found.stopped]
            line = f"No change that flips this was found in {plural(found.tries, 'try', 'tries')}: "
            yield from self._wrapped(line + why + ".", "  ", "  ")
            return
        head = f"{flipped} with {plural(len(found.changes), 'change')}"
        tries = plural(found.tries, "try", "tries")
        yield f"  {self.look.paint(head, '1')} (verified; found in {tries}):"
        for change in found.changes[:MAX_CHANGES]:
            pointer, place = ground.place(change.path)
            told = _told(_concealed(change, ground), pointer)
            yield from self._wrapped(told, "    ", "      ", _place(place))
        if len(found.changes) > MAX_CHANGES:
            more = plural(len(found.changes) - MAX_CHANGES, "more change")
            yield f"    … and {more}, which --format json tells"

    def _wrapped(self, text: str, first: str, rest: str, place: str = "") -> list[str]:
        """Wrapped lines; ``place`` stands at the right of the last, or below it."""
        lines = textwrap.wrap(
            defuse_commands(text),
            self.look.width,
            initial_indent=first,
            subsequent_indent=rest,
            break_on_hyphens=False,
        ) or [first]
        if place:
            room = self.look.width - len(lines[-1])
            if len(place) + 2 <= room:
                lines[-1] += f"  {place}" if not place.startswith(":") else place.rjust(room)
            else:
                lines.append(f"{rest}{place}")
        return lines


def _concealed(change: Change, ground: Ground) -> Change:
    """The change as it may be shown."""
    old, new = (ground.conceal(change.path, value) for value in (change.old, change.new))
    return replace(change, old=old, new=new)


def _told(change: Change, pointer: str) -> str:
    if change.op == "remove":
        return f"remove {safe(pointer)}, which is {_value(change.old)}"
    if change.op == "add":
        return f"add {safe(pointer)}: {_value(change.new)}"
    return f"change {safe(pointer)} from {_value(change.old)} to {_value(change.new)}"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, str) and len(value) > 60:
        text = f"{json.dumps(value[:30], ensure_ascii=False)}… (a text of {len(value)} characters)"
    return one_line(text, 100)


def _at(location: Location) -> str:
    return safe(f"{location.file}:{location.row}")


def _place(location: Location | None) -> str:
    return "" if location is None else f"({_at(location)})"


# -- JSON ----------------------------------------------------------------------------------------


def record(explanation: Explanation, ground: Ground) -> dict[str, Any]:
    """An explanation as JSON; changes are a JSON Patch (RFC 6902) of the input."""
    out: dict[str, Any] = {
        "subject": explanation.subject,
        "kind": explanation.kind,
        "outcome": explanation.outcome,
        "findings": list(explanation.findings),
        "clauses": _clauses(explanation.clauses),
        "read": [
            {
                "pointer": r.pointer,
                "value": r.shown,
                "location": _location(r.place),
            }
            for r in explanation.readings
        ],
    }
    found = explanation.counterfactual
    if found is not None:
        out["counterfactual"] = _patch(found, ground)
    return out


def _patch(found: Counterfactual, ground: Ground) -> dict[str, Any]:
    if found.changes is None:
        return {"found": False, "tries": found.tries, "stopped": found.stopped}
    changes = [_concealed(c, ground) for c in found.changes]
    places = [
        {"path": join("", *c.path), "old": c.old, "location": _location(ground.place(c.path)[1])}
        for c in changes
    ]
    return {
        "found": True,
        "tries": found.tries,
        "patch": [c.to_json() for c in changes],
        "changes": places,
    }


def _clauses(clauses: Sequence[Clause]) -> list[dict[str, Any]]:
    return [
        {
            "rule": c.rule,
            "location": _location(c.location),
            "solutions": c.solutions,
            "expressions": [
                {
                    "text": e.text,
                    "location": _location(e.location),
                    "status": e.status,
                    "values": dict(e.values),
                    **({"because": _clauses(e.because)} if e.because else {}),
                }
                for e in c.expressions
            ],
        }
        for c in clauses
    ]


def _location(location: Location | None) -> dict[str, Any] | None:
    if location is None or not location.row:
        return None
    return {"file": location.file, "row": location.row, "col": location.col}
