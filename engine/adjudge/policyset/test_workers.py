"""Many tests in, their verdicts out, worked off by several processes.

The program is compiled once, before the processes part ways; each emits only the rules
that its tests reach.  Tests of one file stay together, so that every rule is emitted in
as few processes as possible.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Final

from adjudge.errors import AdjudgeError
from adjudge.policyset.failures import Explainer, Failure
from adjudge.policyset.testing import TestCase, TestResult, run_tests
from adjudge.rego import Program

FEW_TESTS: Final = 200
"""Up to so many tests one process is as fast."""


@dataclass(slots=True)
class TestRun:
    """The verdicts, in the order of the tests; why tests failed, by their place in that
    order; the numbers of the probes that were reached; and what was compiled, where it is to be
    kept."""

    __test__ = False

    results: list[TestResult]
    failures: dict[int, list[Failure]] = field(default_factory=dict)
    hits: set[int] = field(default_factory=set)
    compiled: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """What to do: run tests of a program, explain failures with ``explainer`` when there is
    one, and note the probes reached when ``probed``."""

    program: Program
    tests: Sequence[TestCase]
    seconds: float
    explainer: Explainer | None = None
    probed: bool = False


def work(job: Job, processes: int) -> TestRun:
    """Do a job, in as many processes as are worth it; raises AdjudgeError when one of them
    ends before its time."""
    able = "fork" in multiprocessing.get_all_start_methods()
    if processes < 2 or len(job.tests) <= FEW_TESTS or not able:
        return _run(job, range(len(job.tests)))
    shares = _shares(job.tests, processes)
    run = TestRun([])
    by_place: dict[int, TestResult] = {}
    context = multiprocessing.get_context("fork")
    global _job
    _job = job
    try:
        with ProcessPoolExecutor(len(shares), context) as pool:
            for share, part in zip(shares, pool.map(_run_share, shares), strict=True):
                by_place.update(zip(share, part.results, strict=True))
                run.failures.update(part.failures)
                run.hits |= part.hits
                job.program.add(part.compiled)
    except BrokenProcessPool:
        raise AdjudgeError(
            "test_process_ended",
            "a process that ran tests has ended before they were done",
            hint="it may have run out of memory: try --parallel 1",
        ) from None
    finally:
        _job = None
    run.results = [by_place[place] for place in range(len(job.tests))]
    return run


_job: Job | None = None
"""What the processes that were parted from this one do; a program cannot be sent to them."""


def _run_share(share: Sequence[int]) -> TestRun:
    assert _job is not None
    run = _run(_job, share)
    run.compiled = _job.program.made()
    return run


def _run(job: Job, share: Sequence[int]) -> TestRun:
    tests = [job.tests[place] for place in share]
    program = job.program
    run = TestRun([])
    services = {"probe": lambda number, values: run.hits.add(number)} if job.probed else None
    run.results = run_tests(program, tests, seconds=job.seconds, services=services)
    if job.explainer is not None:
        for place, result in zip(share, run.results, strict=True):
            if result.outcome == "FAIL":
                cases = [name for name, case in result.leaves if case.failed]
                run.failures[place] = job.explainer.explain(program, result.test, cases)
    return run


def _shares(tests: Sequence[TestCase], processes: int) -> list[list[int]]:
    """Places of tests, for each process; files stay whole, the largest are dealt first."""
    files: dict[str, list[int]] = {}
    for place, test in enumerate(tests):
        files.setdefault(test.location.file, []).append(place)
    shares: list[list[int]] = [[] for _ in range(min(processes, len(files)))]
    for places in sorted(files.values(), key=len, reverse=True):
        min(shares, key=len).extend(places)
    return shares


def usable_processors() -> int:
    """How many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
