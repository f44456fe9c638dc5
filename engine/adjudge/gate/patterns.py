"""Patterns of paths: ``*`` and ``?`` within one name, ``**`` for any number of names."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SPECIAL = re.compile(r"[*?\[]")


def is_pattern(path: str) -> bool:
    """Whether a path has characters that stand for others."""
    return _SPECIAL.search(path) is not None


def matching(pattern: str, paths: Iterable[str]) -> list[str]:
    """The paths that a pattern fits, sorted.

    As in a shell, ``*`` and ``?`` fit no slash and no dot at the beginning of a name; ``[…]``
    is a set of characters.
    """
    compiled = re.compile(_translated(pattern), re.DOTALL)
    return sorted(path for path in paths if compiled.fullmatch(path))


def _translated(pattern: str) -> str:
    parts = pattern.split("/")
    out = []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            # Hidden folders are left out, as everywhere a name is not spelled out.
            out.append(r"(?:[^/.][^/]*/)*" + (r"[^/.][^/]*" if last else ""))
        else:
            out.append(_translated_name(part) + ("" if last else "/"))
    return "".join(out)


def _translated_name(part: str) -> str:
    out = ["(?!\\.)"] if part[:1] in ("*", "?", "[") else []
    at = 0
    while at < len(part):
        char = part[at]
        at += 1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[" and (end := part.find("]", at + 1)) > 0:
            body = part[at:end].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            negated = body[0] == "!"
            # A set never fits the slash that separates names.
            out.append("(?!/)[" + ("^" + body[1:] if negated else body) + "]")
            at = end + 1
        else:
            out.append(re.escape(char))
    return "".join(out)
