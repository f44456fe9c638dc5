"""Facts as they are gathered: values with their origins in, the facts of a document out."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from adjudge.documents.model import Origin, Problem

MAX_ITEMS: Final = 1000
"""Items of one list fact; what comes after them is reported as a problem."""

_TEXT_KEYS: Final = ("text", "description", "name", "risk", "limitation", "title", "value")
_DATE: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9:.]+(?:Z|[+-][0-9:]+)?)?\Z")


class Sheet:
    """Facts with their origins and the problems met on the way.

    Starts from ``facts``, the lists and objects that are there whatever the file says.  Keys
    with a dot stand in an object: ``training.data``.
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self.origins: dict[str, Origin] = {}
        self.problems: list[Problem] = []
        self._seen: set[Problem] = set()

    def has(self, key: str) -> bool:
        """Whether the fact is known already."""
        outer, _, inner = key.partition(".")
        value = self.facts.get(outer)
        return inner in value if inner and value is not None else bool(value)

    def put(self, key: str, value: Any, origin: Origin) -> None:
        """State a fact that was not known before; the first statement wins."""
        if value in (None, "", []) or self.has(key):
            return
        outer, _, inner = key.partition(".")
        if inner:
            self.facts[outer][inner] = value
        else:
            self.facts[outer] = value
        self.origins["/" + key.replace(".", "/")] = origin

    def add(self, key: str, item: Any, origin: Origin) -> None:
        """Append to a list fact; what is over a thousand items is dropped with a problem."""
        items: list[Any] = self.facts[key]
        if len(items) >= MAX_ITEMS:
            self.problem("too_many_items", f"more than {MAX_ITEMS} {key}", f"/facts/{key}")
            return
        self.origins.setdefault(f"/{key}", origin)
        self.origins[f"/{key}/{len(items)}"] = origin
        items.append(item)

    def problem(self, code: str, message: str, pointer: str, *, warning: bool = False) -> None:
        """Note something wrong, once; the thousandth problem says that there are more."""
        found = Problem(code, message, pointer, "warning" if warning else "error")
        if found in self._seen or len(self.problems) > MAX_ITEMS:
            return
        if len(self.problems) == MAX_ITEMS:
            found = Problem("too_many_problems", f"there are more than {MAX_ITEMS} problems")
        self._seen.add(found)
        self.problems.append(found)


def text_of(value: Any) -> str:
    """A field's value as prose: texts as they are, lists line by line, objects by their text."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, (int, float)):
        return json.dumps(value)
    if isinstance(value, list):
        return "\n".join(t for t in (text_of(v) for v in value[:MAX_ITEMS]) if t)
    if isinstance(value, Mapping):
        for key in _TEXT_KEYS:
            if isinstance(value.get(key), str):
                return str(value[key]).strip()
        pairs = ((str(k), text_of(v)) for k, v in value.items())
        return "\n".join(f"{k}: {t}" for k, t in pairs if t)
    return ""


def texts_of(value: Any) -> list[str]:
    """A field that is a text or a list of texts."""
    items = value if isinstance(value, list) else [value]
    return [t for t in (text_of(v) for v in items[:MAX_ITEMS]) if t]


def date_of(value: Any) -> str | None:
    """The day of an ISO 8601 date or time; None for anything else."""
    match = _DATE.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return datetime.date.fromisoformat(match[1]).isoformat()
    except ValueError:
        return None


def number_of(value: Any) -> int | float | None:
    """A number that is a number: no booleans, no texts."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
