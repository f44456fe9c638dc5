"""Modules with ``test_`` rules in, the verdict of each test out, as ``opa test`` gives them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from adjudge.rego import UNDEFINED, Options, Program, RegoEvalError, compile_modules
from adjudge.rego.capabilities import Capabilities
from adjudge.rego.passes.model import Group, path_text
from adjudge.rego.runtime.values import plain_items
from adjudge.rego.syntax import Module
from adjudge.source import Location

Outcome = Literal["PASS", "FAIL", "ERROR", "SKIPPED"]


@dataclass(frozen=True, slots=True)
class TestResult:
    """The verdict of one test rule, or of one case of a parametrised one.

    ``duration_ns`` is the time its evaluation took; ``prints`` what it printed.
    """

    __test__ = False

    name: str
    package: str
    location: Location
    outcome: Outcome
    duration_ns: int
    message: str = ""
    prints: tuple[str, ...] = ()


def run_tests(
    modules: Mapping[str, str | Module],
    data: Mapping[str, Any],
    *,
    run: str = "",
    capabilities: Capabilities | None = None,
    rego_version: int = 1,
) -> list[TestResult]:
    """Compile the modules and run their tests in source order.

    ``run`` is a regular expression that the full name (``data.pkg.test_x``) must
    contain.  Raises ``RegoErrors`` when the modules do not compile, ``re.error`` for a
    bad expression.
    """
    program = compile_modules(
        modules, data=data, capabilities=capabilities, rego_version=rego_version
    )
    wanted = re.compile(run)
    found: list[TestResult] = []
    for group in program.groups:
        name = _test_name(group)
        if name and wanted.search(path_text(group.path)):
            found.extend(_run_one(program, group, name))
    return found


def _test_name(group: Group) -> str:
    """The name of a test rule, empty for any other rule."""
    for key in group.path:
        if isinstance(key, str) and key.startswith(("test_", "todo_test_")):
            return ".".join(str(k) for k in group.path[group.path.index(key) :])
    return ""


def _run_one(program: Program, group: Group, name: str) -> Iterator[TestResult]:
    first = group.clauses[0] if group.clauses else group.default
    assert first is not None
    location = first.loc
    package = path_text(group.path[: len(group.path) - len(name.split("."))])

    def result(shown: str, outcome: Outcome, ns: int, **more: Any) -> TestResult:
        return TestResult(shown, package, location, outcome, ns, **more)

    if name.startswith("todo_"):
        yield result(name, "SKIPPED", 0)
        return
    if group.kind == "function":
        yield result(name, "ERROR", 0, message="a test must not take arguments")
        return
    rule = program.rule_at(group.path)
    start = time.perf_counter_ns()
    context = program.context(UNDEFINED, Options(), None)
    try:
        value = rule(context)
    except RegoEvalError as e:
        spent = time.perf_counter_ns() - start
        prints = tuple(context.shared.prints)
        yield result(name, "ERROR", spent, message=str(e), prints=prints)
        return
    spent = time.perf_counter_ns() - start
    prints = tuple(context.shared.prints)
    if isinstance(value, dict):
        cases = list(plain_items(value))
        for key, verdict in cases:
            outcome: Outcome = "PASS" if verdict is True else "FAIL"
            yield result(f"{name}/{key}", outcome, spent // len(cases), prints=prints)
        if cases:
            return
    passed = value is not UNDEFINED and value is not False and value != {}
    yield result(name, "PASS" if passed else "FAIL", spent, prints=prints)
