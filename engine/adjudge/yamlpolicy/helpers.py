"""Rules made on the way: bodies in, named rules and the terms that stand for them out.

Rego has no ``or`` inside a body, and ``not`` before a call does not do what it says when
an argument is undefined; both need a rule with a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from adjudge.rego.syntax import Body, Call, Head, Rule, Scalar, Term, Var
from adjudge.source import Location
from adjudge.yamlpolicy.library import FUNCTIONS
from adjudge.yamlpolicy.terms import in_order, names_in

APPLICABLE: Final = "applicable"
FINDING: Final = "finding"

KEYWORDS: Final = frozenset(
    {"as", "contains", "data", "default", "deny", "else", "every", "false", "if", "import", "in"}
    | {"input", "not", "null", "package", "set", "some", "true", "warn", "with"}
)
"""Names that mean something in every policy."""

_BUILTINS: Final = frozenset(
    {"concat", "count", "endswith", "is_array", "is_number", "is_string", "object", "regex"}
    | {"replace", "semver", "startswith", "substring", "time", "trim_space"}
)
RESERVED: Final = KEYWORDS | _BUILTINS | {APPLICABLE, FINDING, *FUNCTIONS}
"""Names that a loop variable cannot have, because the generated Rego uses them."""


class Helpers:
    """The helper rules of one module.

    ``taken`` are the names authors gave to loop variables; no rule gets one of them.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {*RESERVED, *taken}
        self._made: dict[tuple[str, str], str] = {}
        self._numbers: dict[str, int] = {}
        self._fresh: list[Rule] = []

    def take(self, user: Rule) -> list[Rule]:
        """The rules made since the last call, in the order in which ``user`` comes to them."""
        waiting: dict[str, list[Rule]] = {}
        for rule in self._fresh:
            assert isinstance(rule.head.ref, Var)
            waiting.setdefault(rule.head.ref.name, []).append(rule)
        self._fresh = []
        found: list[Rule] = []
        readers = [user]
        for reader in readers:
            for node in in_order(reader):
                if isinstance(node, Var) and node.name in waiting:
                    readers += waiting[node.name]
                    found += waiting.pop(node.name)
        return found

    def rule(
        self, label: str, clauses: Sequence[Body], variables: Iterable[str], loc: Location
    ) -> Term:
        """What is true when one of ``clauses`` is; ``variables`` are the loop variables around.

        The same clauses get the same rule.
        """
        args = self._args(clauses, variables)
        name, fresh = self._name(label, (tuple(clauses), args))
        if fresh:
            self._fresh += [
                Rule(_head(name, args, None, _at(c, loc)), c, loc=_at(c, loc), end_row=loc.row)
                for c in clauses
            ]
        return _use(name, args, loc)

    def value(
        self, label: str, term: Term, body: Body, default: Scalar, variables: Iterable[str]
    ) -> Term:
        """The value of ``term`` where ``body`` holds, and ``default`` where it is undefined."""
        loc = default.loc
        args = self._args((term, body), variables)
        name, fresh = self._name(label, (term, body, default, args))
        if fresh:
            wildcards = ("_",) * len(args)
            head = _head(name, wildcards, default, loc)
            self._fresh.append(Rule(head, default=True, loc=loc, end_row=loc.row))
            self._fresh.append(Rule(_head(name, args, term, loc), body, loc=loc, end_row=loc.row))
        return _use(name, args, loc)

    def _args(self, nodes: Any, variables: Iterable[str]) -> tuple[str, ...]:
        used = names_in(tuple(nodes))
        return tuple(v for v in variables if v in used)

    def _name(self, label: str, content: Any) -> tuple[str, bool]:
        """A name for ``content``, and whether it is new."""
        # As text, because True == 1 in Python and not in Rego.
        key = (label, repr(content))
        if key in self._made:
            return self._made[key], False
        while True:
            number = self._numbers[label] = self._numbers.get(label, 0) + 1
            name = label if number == 1 else f"{label}_{number}"
            if name not in self._taken:
                self._taken.add(name)
                self._made[key] = name
                return name, True


def _at(body: Body, default: Location) -> Location:
    return body[0].loc if body else default


def _head(name: str, args: tuple[str, ...], value: Term | None, loc: Location) -> Head:
    terms = tuple(Var(a, loc) for a in args) or None
    return Head(Var(name, loc), terms, None, value, value is not None, loc)


def _use(name: str, args: tuple[str, ...], loc: Location) -> Term:
    if not args:
        return Var(name, loc)
    return Call(Var(name, loc), tuple(Var(a, loc) for a in args), loc=loc)
