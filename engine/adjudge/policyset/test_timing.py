"""A test in, how long one evaluation of it takes out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from adjudge.policyset.testing import TestCase, evaluation, test_options
from adjudge.rego import UNDEFINED, Program

WHOLE_NS: Final = 1_000_000_000
"""How long a test is repeated."""


@dataclass(frozen=True, slots=True)
class Timing:
    """``rounds`` evaluations took ``total_ns`` nanoseconds."""

    rounds: int
    total_ns: int


def measure(program: Program, test: TestCase, seconds: float, whole_ns: int = WHOLE_NS) -> Timing:
    """Evaluate a test that passes again and again for about a second.

    Raises ``RegoEvalError`` when an evaluation fails.
    """
    run = evaluation(program, test)
    options = test_options(seconds, {"print": None})
    rounds, total, batch = 0, 0, 1
    while total < whole_ns:
        start = time.perf_counter_ns()
        for _ in range(batch):
            run(program.context(UNDEFINED, options, None))
        total += time.perf_counter_ns() - start
        rounds += batch
        # The clock is read seldom, and the last batch does not take much too long.
        each = max(total // rounds, 1)
        batch = max(1, min((whole_ns - total) // each, rounds * 10))
    return Timing(rounds, total)
