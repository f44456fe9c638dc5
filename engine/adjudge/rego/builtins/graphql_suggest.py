"""Suggestions in messages: consumes a name and those there are; produces ``Did you mean "x"?``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def did_you_mean(name: str, options: Iterable[str], prefix: str = "Did you mean") -> str:
    """A question after a blank, or nothing if no option is similar."""
    found = similar(name, options)
    return f" {prefix} {or_list(found)}?" if found else ""


def or_list(names: Sequence[str]) -> str:
    """``"a", "b", or "c"``, five at most."""
    shown = [f'"{name}"' for name in names[:5]]
    if len(shown) < 3:
        return " or ".join(shown)
    return ", ".join([*shown[:-1], f"or {shown[-1]}"])


def similar(name: str, options: Iterable[str]) -> list[str]:
    """The options that a few edits make of the name, the nearest first."""
    limit = int(len(name.encode("utf-8", "surrogatepass")) * 0.4) + 1
    found = []
    for option in options:
        distance = _distance(name, option, limit)
        if distance <= limit:
            found.append((distance, option))
    return [option for _, option in sorted(found, key=lambda pair: pair[0])]


def _distance(first: str, second: str, limit: int) -> int:
    """How many characters to change, add or take away; more than ``limit`` is not counted.

    A difference in case only is one edit.
    """
    if first == second:
        return 0
    first, second = first.lower(), second.lower()
    if first == second:
        return 1
    if abs(len(first) - len(second)) > limit:
        return limit + 1
    row = list(range(len(second) + 1))
    for index, char in enumerate(first, 1):
        diagonal, row[0] = row[0], index
        for column, other in enumerate(second, 1):
            cost = diagonal if char == other else 1 + min(diagonal, row[column], row[column - 1])
            diagonal, row[column] = row[column], cost
    return row[-1]
