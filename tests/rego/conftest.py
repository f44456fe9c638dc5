"""Random Rego: expressions with conditions in them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

TERMS = (
    *("a", "input.x", "f(g(a))", "{1, 2}", '{"k": v}', "{}", "[x | x = 1]", "{x | x = 1}"),
    *("or(a, b)", "1 + 2", "a | b", "(a)", "(1 + 2)", "set()", 'and["q"]'),
)

IMPORTS = (
    "import rego.v2",
    "import future.keywords.and",
    "import future.keywords.not",
    "import future.keywords.and\nimport future.keywords.or",
)

RULES = ("p if {{\n {}\n}}\n", "p if {}\n", "p if {{\n {}\n}} else := 3 if {}\n", "p := 1 if {}\n")


class _Expressions:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def simple(self) -> str:
        left, right = self.rng.choice(TERMS), self.rng.choice(TERMS)
        forms = ("{0}", "{0} == {1}", "{0} = {1}", "x := {0}", "{0} in {1}", "{0} & {1}")
        return self.rng.choice(forms).format(left, right)

    def expression(self, depth: int) -> str:
        if not depth or self.rng.random() < 0.3:
            return self.simple()
        forms = (
            *("{0} and {1}", "{0} or {1}") * 2,
            *("not {0}", "({0})", "{{ {0} }}", "{{ {0}; {1} }}") * 2,
            *("{0} with input as a", "({0} with input.x as 1)", "[y | {0}]"),
            *("some q in xs", "every q in xs {{ {0} }}"),
        )
        parts = [self.expression(depth - 1) for _ in range(2)]
        return self.rng.choice(forms).format(*parts)


@pytest.fixture(scope="session")
def modules_with_conditions() -> Callable[[int, int], Iterator[str]]:
    """A function from a seed and a number to so many modules; not all of them are Rego."""

    def modules(seed: int, count: int) -> Iterator[str]:
        random_expressions = _Expressions(seed)
        choice = random_expressions.rng.choice
        for _ in range(count):
            rule = choice(RULES)
            parts = [random_expressions.expression(3) for _ in range(rule.count("{}"))]
            yield f"package a\n{choice(IMPORTS)}\n{rule.format(*parts)}"

    return modules
