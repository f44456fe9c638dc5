"""A case with a difference in, the smallest case found that still has it out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.differential.generate import Case

ROUNDS = 8
ATTEMPTS = 1500


def shrink(case: Case, still: Callable[[Case], bool]) -> Case:
    """Take away lines of modules, parts of documents and paths for as long as it stays so."""
    left = itertools.count(ATTEMPTS, -1)

    def attempt(candidate: Case) -> bool:
        return next(left) > 0 and still(candidate)

    for _ in range(ROUNDS):
        smaller = case
        for candidates in (_paths, _modules, _lines, _pieces, _documents):
            smaller = _greedy(smaller, candidates, attempt)
        if smaller == case:
            break
        case = smaller
    return case


def _greedy(
    case: Case, candidates: Callable[[Case], Iterator[Case]], still: Callable[[Case], bool]
) -> Case:
    progress = True
    while progress:
        progress = False
        for candidate in candidates(case):
            if still(candidate):
                case, progress = candidate, True
                break
    return case


def _paths(case: Case) -> Iterator[Case]:
    if len(case.paths) > 1:
        for path in case.paths:
            yield replace(case, paths=(path,))


def _modules(case: Case) -> Iterator[Case]:
    for name in case.modules:
        if len(case.modules) > 1:
            yield replace(case, modules={n: t for n, t in case.modules.items() if n != name})


def _lines(case: Case) -> Iterator[Case]:
    """Without a rule, a line, or some lines."""
    for name, text in case.modules.items():
        rules = text.split("\n\n")
        for at in range(1, len(rules)):
            yield _with(case, name, "\n\n".join(rules[:at] + rules[at + 1 :]))
        lines = text.split("\n")
        for size in (3, 2, 1):
            for at in range(1, len(lines)):
                yield _with(case, name, "\n".join(lines[:at] + lines[at + size :]))


def _pieces(case: Case) -> Iterator[Case]:
    """Without a piece in brackets, with a simple term in its place, or with less between."""
    for name, text in case.modules.items():
        for start, end in _brackets(text):
            inside = text[start + 1 : end]
            begin = start
            while begin and (text[begin - 1].isalnum() or text[begin - 1] in "._"):
                begin -= 1
            for simple in ("1", '"a"', "input.x", inside):
                if text[begin : end + 1] != simple and inside != simple:
                    yield _with(case, name, text[:begin] + simple + text[end + 1 :])
            for separator in (", ", "; "):
                parts = inside.split(separator)
                for at in range(len(parts)):
                    if len(parts) > 1:
                        left = separator.join(parts[:at] + parts[at + 1 :])
                        yield _with(case, name, text[: start + 1] + left + text[end:])
        for word in (" else ", " with ", " if {"):
            at = text.find(word)
            while at >= 0:
                end = text.find("\n", at) if word != " if {" else text.find("\n}", at) + 2
                yield _with(case, name, text[:at] + text[end:])
                at = text.find(word, at + 1)


def _brackets(text: str) -> list[tuple[int, int]]:
    """Where brackets open and close, the longest pieces first."""
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    for at, char in enumerate(text):
        if char in "([{":
            opened.append(at)
        elif char in ")]}" and opened:
            found.append((opened.pop(), at))
    return sorted(found, key=lambda pair: pair[0] - pair[1])


def _documents(case: Case) -> Iterator[Case]:
    if case.input is not ...:
        yield replace(case, input=...)
        for smaller in _smaller(case.input):
            yield replace(case, input=smaller)
    for smaller in _smaller(case.data):
        yield replace(case, data=smaller)


def _smaller(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
        for key, part in value.items():
            for smaller in _smaller(part):
                yield {**value, key: smaller}
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield value[:at] + value[at + 1 :]
            for smaller in _smaller(part):
                yield [*value[:at], smaller, *value[at + 1 :]]


def _with(case: Case, name: str, text: str) -> Case:
    return replace(case, modules={**case.modules, name: text})
