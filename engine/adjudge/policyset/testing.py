"""Modules with ``test_`` rules in, the verdict of each test out, as ``opa test`` gives them.

Every rule whose name, or a part of whose name, begins with ``test_`` is a test: a second
rule of the same name is the test ``test_x#01``.  A test passes when its value is ``true``.
A rule with variables in its name (``test_x[case]``) is a test for each case.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NoReturn

from adjudge.policyset.opa_runtime import host_runtime
from adjudge.policyset.programs import compiled
from adjudge.policyset.test_cases import add_cases
from adjudge.rego import UNDEFINED, Options, Program
from adjudge.rego.capabilities import Capabilities
from adjudge.rego.errors import RegoError
from adjudge.rego.passes.model import Path, path_text
from adjudge.rego.program import parse_modules
from adjudge.rego.runtime.context import Context
from adjudge.rego.runtime.limits import Limits
from adjudge.rego.runtime.text import key_text
from adjudge.rego.runtime.values import Value, plain_items
from adjudge.rego.syntax import Module, Ref, Rule, Scalar, Var
from adjudge.source import Location

Outcome = Literal["PASS", "FAIL", "ERROR", "SKIPPED"]

TEST = "test_"
TODO = "todo_test_"
MAX_NOTES = 5
"""So many failures of builtins are told with a test that fails."""
NO_STEP_LIMIT = 10**15
"""Tests are the operator's own: only time ends them."""


@dataclass(frozen=True, slots=True)
class TestCase:
    """A test rule.

    ``path`` is the document whose value decides, ``rule`` the path of the rule itself,
    which may stand below it.  ``parametrised``: the value is an object of cases.
    """

    __test__ = False

    name: str
    package: str
    path: Path
    rule: Path
    location: Location
    parametrised: bool
    is_function: bool
    todo: bool


@dataclass(slots=True)
class SubResult:
    """The verdict of one case of a parametrised test, or of a group of cases."""

    name: str
    failed: bool = False
    cases: dict[str, SubResult] = field(default_factory=dict)

    def leaves(self, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], SubResult]]:
        """The cases that hold no others, by full name, in order."""
        name = (*above, self.name)
        if not self.cases:
            yield name, self
        for key in sorted(self.cases):
            yield from self.cases[key].leaves(name)


@dataclass(frozen=True, slots=True)
class TestError:
    """Why a test has no verdict; what an exception says, fit to be sent between processes."""

    __test__ = False

    code: str
    message: str
    location: Location | None = None

    def __str__(self) -> str:
        where = f"{self.location}: " if self.location else ""
        return f"{where}{self.code}: {self.message}"


@dataclass(slots=True)
class TestResult:
    """The verdict of one test.

    ``duration_ns`` is the time its evaluation took; ``prints`` what it printed;
    ``cases`` the verdicts of a parametrised test, by name; ``notes`` the builtins that
    failed while a test did.
    """

    __test__ = False

    test: TestCase
    outcome: Outcome
    duration_ns: int = 0
    error: TestError | None = None
    prints: tuple[str, ...] = ()
    cases: dict[str, SubResult] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def leaves(self) -> list[tuple[tuple[str, ...], SubResult]]:
        """All cases that hold no others, by full name, in order."""
        return [leaf for key in sorted(self.cases) for leaf in self.cases[key].leaves()]


@dataclass(frozen=True, slots=True)
class TestSet:
    """A program, the tests in it, in source order, and its modules."""

    __test__ = False

    program: Program
    tests: tuple[TestCase, ...]
    modules: tuple[Module, ...]


def compile_tests(
    modules: Mapping[str, str | Module],
    data: Mapping[str, Any],
    *,
    capabilities: Capabilities | None = None,
    rego_version: int = 1,
    schemas: Mapping[str, Any] | None = None,
) -> TestSet:
    """Compile modules and find their tests; raises ``RegoErrors`` when they do not compile."""
    parsed = _unique_names(parse_modules(modules, capabilities, rego_version))
    tests = tuple(test for module in parsed for test in _tests(module))
    parametrised = frozenset(test.rule for test in tests if test.parametrised)
    program = compiled(
        {str(n): module for n, module in enumerate(parsed)},
        data=data,
        capabilities=capabilities,
        schemas=schemas,
        rewrite=lambda comp: add_cases(comp, parametrised),
        rewritten="tests",
    )
    return TestSet(program, tests, tuple(parsed))


def matching(tests: Sequence[TestCase], run: str) -> list[TestCase]:
    """The tests whose full name (``data.pkg.test_x``) the regular expression is found in;
    raises ``re.error`` for a bad one."""
    wanted = re.compile(run)
    return [test for test in tests if wanted.search(path_text(test.path))]


def run_tests(
    program: Program,
    tests: Sequence[TestCase],
    *,
    seconds: float = 5.0,
    services: Mapping[str, Any] | None = None,
) -> list[TestResult]:
    """Run tests one after the other; each may take ``seconds``."""
    return [run_test(program, test, seconds=seconds, services=services) for test in tests]


def run_test(
    program: Program,
    test: TestCase,
    *,
    seconds: float = 5.0,
    services: Mapping[str, Any] | None = None,
) -> TestResult:
    """Run one test; evaluation errors are a verdict, too."""
    if test.todo:
        return TestResult(test, "SKIPPED")
    if test.is_function:
        message = f"function {path_text(test.rule)} used as reference, not called"
        error = TestError("rego_type_error", message, test.location)
        return TestResult(test, "ERROR", error=error)
    seen: list[list[Value]] = []
    options = test_options(seconds, {**(services or {}), "test_case": seen.append})
    start = time.perf_counter_ns()
    context = program.context(UNDEFINED, options, None)
    try:
        value = evaluation(program, test)(context)
    except RegoError as e:
        spent = time.perf_counter_ns() - start
        error = TestError(e.code, e.message, e.location)
        return TestResult(test, "ERROR", spent, error, tuple(context.shared.prints))
    except RecursionError:
        spent = time.perf_counter_ns() - start
        error = TestError("eval_limit_error", "evaluation nested too deeply")
        return TestResult(test, "ERROR", spent, error, tuple(context.shared.prints))
    result = TestResult(test, "PASS", time.perf_counter_ns() - start)
    result.prints = tuple(context.shared.prints)
    _judge(result, value, seen)
    if result.outcome == "FAIL":
        result.notes = tuple(map(str, context.shared.builtin_errors[:MAX_NOTES]))
    return result


def test_options(seconds: float, services: Mapping[str, Any]) -> Options:
    """How tests are evaluated: as the operator's own programs, but for the network."""
    return Options(
        limits=Limits(steps=NO_STEP_LIMIT, seconds=seconds),
        services={"runtime": host_runtime(), "http": _offline, "resolver": _offline, **services},
    )


def _offline(_: Any) -> NoReturn:
    raise OSError("tests have no network: replace the builtin using `with`")


test_options.__test__ = False  # type: ignore[attr-defined]


def evaluation(program: Program, test: TestCase) -> Callable[[Context], Value]:
    """What gives the value that decides a test."""
    if test.rule == test.path:
        return program.rule_at(test.path)
    return lambda context: context.document(test.path)


def _judge(result: TestResult, value: Value, seen: list[list[Value]]) -> None:
    if value is UNDEFINED:
        result.outcome = "FAIL"
    elif result.test.parametrised:
        failed, result.cases = _sub_results(value)
        for case in seen:
            failed |= _missed(result.cases, [key_text(part) for part in case])
        result.outcome = "FAIL" if failed else "PASS"
    elif value is not True:
        result.outcome = "FAIL"


def _sub_results(value: Value) -> tuple[bool, dict[str, SubResult]]:
    out: dict[str, SubResult] = {}
    if not isinstance(value, dict):
        return False, out
    for key, item in plain_items(value):
        name = key_text(key)
        if isinstance(item, dict):
            failed, below = _sub_results(item)
            out[name] = SubResult(name, failed, below)
        else:
            out[name] = SubResult(name, item is not True)
    return any(case.failed for case in out.values()), out


def _missed(cases: dict[str, SubResult], path: list[str]) -> bool:
    """Note that a case was tried: when it gave no value, it failed."""
    name, *rest = path
    case = cases.get(name)
    if case is None:
        case = cases[name] = SubResult(name, failed=True)
    if rest and _missed(case.cases, rest):
        case.failed = True
    return case.failed


# -- discovery -----------------------------------------------------------------------------


def _keys(rule: Rule) -> list[Any]:
    """The constant parts of a rule's name."""
    ref = rule.head.ref
    if isinstance(ref, Var):
        return [ref.name]
    keys: list[Any] = [ref.head.name] if isinstance(ref.head, Var) else []
    for operand in ref.operands:
        if not isinstance(operand, Scalar):
            break
        keys.append(operand.value)
    return keys


def _place(keys: list[Any]) -> int:
    """Which part of a name makes the rule a test; -1 when none does."""
    for index, key in enumerate(keys):
        if isinstance(key, str) and key.startswith((TEST, TODO)):
            return index
    return -1


def _tests(module: Module) -> Iterator[TestCase]:
    package = path_text(module.package)
    for rule in module.rules:
        keys = _keys(rule)
        place = _place(keys)
        if place < 0:
            continue
        ref = rule.head.ref
        length = 1 if isinstance(ref, Var) else 1 + len(ref.operands)
        path = (*module.package, *keys[: place + 1])
        yield TestCase(
            name=keys[0] + path_text(tuple(keys[1 : place + 1])).removeprefix("data"),
            package=package,
            path=path,
            rule=(*module.package, *keys),
            location=rule.loc,
            parametrised=length > len(keys) and rule.head.key is None,
            is_function=rule.head.args is not None,
            todo=keys[place].startswith(TODO),
        )


def _unique_names(modules: list[Module]) -> list[Module]:
    """The modules with further rules of a test's name called ``name#01`` and so on."""
    counts: dict[Path, int] = {}
    out = []
    for module in modules:
        rules = tuple(_renamed(module, rule, counts) for rule in module.rules)
        changed = any(new is not old for new, old in zip(rules, module.rules, strict=True))
        out.append(replace(module, rules=rules) if changed else module)
    return out


def _renamed(module: Module, rule: Rule, counts: dict[Path, int]) -> Rule:
    keys = _keys(rule)
    place = _place(keys)
    if place < 0 or not keys[place].startswith(TEST):
        return rule
    path = (*module.package, *keys[: place + 1])
    count = counts.get(path, 0)
    counts[path] = count + 1
    if count == 0:
        return rule
    name = f"{keys[place]}#{count:02}"
    ref = rule.head.ref
    new: Var | Ref
    if isinstance(ref, Var):
        new = Var(name, ref.loc)
    elif place == 0:
        new = Ref(Var(name, ref.head.loc), ref.operands, ref.loc)
    else:
        operands = list(ref.operands)
        operands[place - 1] = Scalar(name, operands[place - 1].loc)
        new = Ref(ref.head, tuple(operands), ref.loc)
    return replace(rule, head=replace(rule.head, ref=new))
