"""Patterns of paths: ``*`` and ``?`` within one name, ``**`` for any number of names.

Patterns come from manifests under judgement.  Names are matched by the regular expressions of
:mod:`fnmatch`, which do not backtrack into earlier stars; ``**`` is followed in all its
possible positions at once.  So neither takes exponential time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from typing import Final

_SPECIAL: Final = re.compile(r"[*?\[]")
_VISIBLE: Final = re.compile(r"[^.]")


def is_pattern(path: str) -> bool:
    """Whether a path has characters that stand for others."""
    return _SPECIAL.search(path) is not None


def matching(pattern: str, paths: Iterable[str]) -> list[str]:
    """The paths that a pattern fits, sorted.

    As in a shell, ``*`` and ``?`` fit no slash and no dot at the beginning of a name, and
    ``**`` no hidden names; ``[…]`` is a set of characters, ``[!…]`` its complement.
    """
    names = pattern.split("/")
    steps = [None if name == "**" else _name(name) for name in names]
    if names[-1] == "**":
        steps.append(_VISIBLE)  # the folder before it is not below itself
    return sorted(path for path in paths if _fits(steps, path.split("/")))


def _name(pattern: str) -> re.Pattern[str]:
    hidden = "" if not _SPECIAL.match(pattern) else r"(?!\.)"
    return re.compile(hidden + translate(pattern))


def _fits(steps: Sequence[re.Pattern[str] | None], names: Sequence[str]) -> bool:
    """Whether the steps fit all names in order; None fits any number of visible ones."""
    places = _closed({0}, steps)
    for name in names:
        after = set()
        for place in places - {len(steps)}:
            step = steps[place]
            if (step or _VISIBLE).match(name):
                after.add(place if step is None else place + 1)
        if not after:
            return False
        places = _closed(after, steps)
    return len(steps) in places


def _closed(places: set[int], steps: Sequence[re.Pattern[str] | None]) -> set[int]:
    """The places, and those behind steps that may fit nothing."""
    for place in sorted(places):
        while place < len(steps) and steps[place] is None:
            place += 1
            places.add(place)
    return places
