"""Message templates: ``{path}`` in text stands for the value at the path; text in, parts out."""

from __future__ import annotations

import re
from typing import NamedTuple

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class Slot(NamedTuple):
    """A place in a template that shows the value at ``path``."""

    path: str


def split_template(text: str) -> list[str | Slot] | None:
    """The parts of a template in order; None when braces do not match.

    ``{{`` and ``}}`` stand for braces.
    """
    parts: list[str | Slot] = []
    literal, at = "", 0
    for match in _PART.finditer(text):
        literal += text[at : match.start()]
        at = match.end()
        token = match[0]
        if token in ("{{", "}}"):
            literal += token[0]
        elif match[1] is None:
            return None
        else:
            if literal:
                parts.append(literal)
            parts.append(Slot(match[1].strip()))
            literal = ""
    literal += text[at:]
    if literal or not parts:
        parts.append(literal)
    return parts
