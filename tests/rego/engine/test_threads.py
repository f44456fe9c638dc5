"""One Program in many threads, from its first use on: every answer is that of one alone."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from adjudge.rego import Options, RegoEvalError, compile_modules
from adjudge.rego.evidence import EvidenceProgram
from adjudge.rego.program import Program
from adjudge.rego.runtime.limits import Limits

THREADS = 8
ROUNDS = 12

MODULE = """package t

import data.conf

total := sum([x | some x in input.xs])

limit := conf.limit

over contains x if { some x in input.xs; x > limit }

deny contains msg if {
    some x in over
    msg := sprintf("%d: %v of %v", [input.id, x, f(x)])
}

f(x) := x * total

g(x) := x - 1000

changed.input := x if x := total with input.xs as [input.id, 1]

changed.data := x if x := over with data.conf.limit as input.id

changed.rule := x if x := over with limit as 3

changed.function := x if x := f(input.id) with f as g

changed.builtin := x if x := count(input.xs) with count as input.id

changed.nested := x if x := inner with input.id as -1

inner := x if x := [y | some y in deny] with input.xs as [9, 10]

picked[id] := [x | some x in input.xs; x % 3 == id] if some id in [0, 1, 2]

matched := [x | some x in input.names; regex.match(sprintf("^n%d$", [input.id % 7]), x)]

grouped := {k: vs | some k in [0, 1]; vs := {x | some x in input.xs; x % 2 == k}}

slow if { some x in input.loop; some y in input.loop; x * y == -1 }
"""

DATA = {"conf": {"limit": 5}}


@pytest.fixture(autouse=True)
def _switch_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def document(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "xs": list(range(number % 11)),
        "names": [f"n{n}" for n in range(9)],
        "loop": [],
    }


def program() -> Program:
    return compile_modules({"t.rego": MODULE}, data=DATA)


def in_threads(ask: Callable[[int], Any]) -> list[Any]:
    """The answers to all numbers, asked from threads that begin at once."""
    gate = threading.Barrier(THREADS)

    def work(first: int) -> list[tuple[int, Any]]:
        gate.wait()
        numbers = range(first, THREADS * ROUNDS, THREADS)
        return [(number, ask(number)) for number in numbers]

    with ThreadPoolExecutor(THREADS) as pool:
        found = [pair for answers in pool.map(work, range(THREADS)) for pair in answers]
    return [answer for _, answer in sorted(found, key=lambda pair: pair[0])]


def test_queries() -> None:
    alone = program().prepare("x := data.t")
    want = [alone.eval(document(n))[0].bindings for n in range(THREADS * ROUNDS)]
    shared = program().prepare("x := data.t")
    assert in_threads(lambda n: shared.eval(document(n))[0].bindings) == want


def test_rules_of_a_fresh_program() -> None:
    names = ["deny", "changed.nested", "changed.function", "picked", "matched", "grouped", "inner"]

    def ask(of: Program, n: int) -> Any:
        return of.rule(f"data.t.{names[n % len(names)]}").eval(document(n))

    alone = program()
    want = [ask(alone, n) for n in range(THREADS * ROUNDS)]
    for _ in range(3):
        shared = program()
        assert in_threads(lambda n, of=shared: ask(of, n)) == want  # type: ignore[misc]


def test_evidence_and_queries_prepared_in_threads() -> None:
    def ask(of: Program, evidence: EvidenceProgram, n: int) -> Any:
        outcome = evidence.start(document(n), Options()).run(evidence.entries[0])
        query = of.prepare(f"data.t.total = t with input.id as {n}; x := data.t.changed.rule")
        return outcome.solutions, [r.bindings for r in query.eval(document(n))]

    alone, shared = program(), program()
    evidence = EvidenceProgram(alone)
    want = [ask(alone, evidence, n) for n in range(THREADS * ROUNDS)]
    together = EvidenceProgram(shared)
    assert in_threads(lambda n: ask(shared, together, n)) == want


def test_a_thread_that_passes_its_limit_disturbs_no_other() -> None:
    shared = program()
    rule = shared.rule("data.t.slow")
    want = shared.rule("data.t.changed.rule").eval(document(5))

    def ask(n: int) -> Any:
        if n % 4:
            return shared.rule("data.t.changed.rule").eval(document(5)) == want
        loop = {**document(n), "loop": list(range(400))}
        with pytest.raises(RegoEvalError) as e:
            rule.eval(loop, options=Options(limits=Limits(steps=50_000)))
        return e.value.code == "eval_limit_error"

    assert all(in_threads(ask))
