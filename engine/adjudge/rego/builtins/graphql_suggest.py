"""Suggestions in messages: consumes a name and those there are; produces ``Did you mean "x"?``.

``charge`` accounts for the comparisons, which are many where a hostile schema has many names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence


def did_you_mean(
    name: str,
    options: Iterable[str],
    charge: Callable[[int], None],
    prefix: str = "Did you mean",
) -> str:
    """A question after a blank, or nothing if no option is similar."""
    found = similar(name, options, charge)
    return f" {prefix} {or_list(found)}?" if found else ""


def or_list(names: Sequence[str]) -> str:
    """``"a", "b", or "c"``, five at most."""
    shown = [f'"{name}"' for name in names[:5]]
    if len(shown) < 3:
        return " or ".join(shown)
    return ", ".join([*shown[:-1], f"or {shown[-1]}"])


def similar(name: str, options: Iterable[str], charge: Callable[[int], None]) -> list[str]:
    """The options that a few edits make of the name, the nearest first."""
    limit = int(len(name.encode("utf-8", "surrogatepass")) * 0.4) + 1
    found = []
    for option in options:
        charge(1)
        if abs(len(name) - len(option)) > limit:
            continue
        charge(len(name) * len(option) // 4)
        distance = _distance(name, option)
        if distance <= limit:
            found.append((distance, option))
    return [option for _, option in sorted(found, key=lambda pair: pair[0])]


def _distance(first: str, second: str) -> int:
    """How many characters to change, add or take away; a difference in case only is one."""
    if first == second:
        return 0
    first, second = first.lower(), second.lower()
    if first == second:
        return 1
    row = list(range(len(second) + 1))
    for index, char in enumerate(first, 1):
        diagonal, row[0] = row[0], index
        for column, other in enumerate(second, 1):
            cost = diagonal if char == other else 1 + min(diagonal, row[column], row[column - 1])
            diagonal, row[column] = row[column], cost
    return row[-1]
