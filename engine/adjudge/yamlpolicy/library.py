"""The Rego functions that lowered conditions call; a module holds those it uses."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from adjudge.rego.parser import parse_module
from adjudge.rego.syntax import Rule, Var
from adjudge.source import Location
from adjudge.yamlpolicy.terms import names_in, relocated

# Two facts of Rego shape these: ``not f(x)`` is undefined, not true, where ``x`` is
# undefined; and a builtin given a value of a type it does not take is an error.
_SOURCE: Final = r"""
package library

has_content(value) if {
	is_string(value)
	trim_space(value) != ""
}

has_content(value) if {
	not is_string(value)
	not value in [null, [], {}]
}

includes(value, part) if {
	is_string(value)
	is_string(part)
	contains(value, part)
}

includes(value, part) if {
	is_array(value)
	part in value
}

is_date(value) if {
	is_string(value)
	regex.match(`^(1[7-9]|2[01])\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$`, value)
}

timestamp(value) := time.parse_rfc3339_ns(concat("", [value, "T00:00:00Z"])) if is_date(value)

timestamp(value) := time.parse_rfc3339_ns(value) if {
	is_string(value)
	is_date(substring(value, 0, 10))
	clock := `^T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`
	regex.match(clock, substring(value, 10, -1))
}

pointer_step(key) := replace(replace($"{key}", "~", "~0"), "/", "~1")
"""

FUNCTIONS: Final = ("has_content", "includes", "timestamp", "is_date", "pointer_step")
"""The names of the functions, in the order they are printed: callers first."""


@cache
def _rules() -> dict[str, tuple[Rule, ...]]:
    rules: dict[str, tuple[Rule, ...]] = {}
    for rule in parse_module(_SOURCE, "library.rego").rules:
        assert isinstance(rule.head.ref, Var)
        rules[rule.head.ref.name] = (*rules.get(rule.head.ref.name, ()), rule)
    return rules


def functions_used(nodes: Iterable[Any], loc: Location) -> tuple[Rule, ...]:
    """The functions that ``nodes`` call, placed at ``loc``."""
    found: list[Rule] = []
    used = names_in(tuple(nodes))
    for name in FUNCTIONS:
        if name in used:
            rules = _rules()[name]
            used |= names_in(rules)
            found.extend(rules)
    return tuple(relocated(rule, lambda _: loc) for rule in found)
