"""A case in, what each engine says of it and where they differ out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from tests.differential.generate import Case
from tests.differential.opa import PANIC, Opa, OpaError
from tests.reference import ConflictError, UnsafeError, evaluate

from adjudge.rego import Options, RegoErrors, RegoEvalError, compile_modules
from adjudge.rego.evidence import Evaluation, EvidenceProgram
from adjudge.rego.program import Program
from adjudge.rego.runtime.limits import Limits
from adjudge.rego.runtime.text import to_json, to_json_text
from adjudge.rego.runtime.values import UNDEFINED

LIMITS = Limits(seconds=20.0, steps=20_000_000, size=1_000_000)


class Invalid(NamedTuple):
    """The modules are no program; the codes of the errors."""

    codes: tuple[str, ...]


class Failed(NamedTuple):
    """Evaluation ended in an error."""

    codes: tuple[str, ...]


class Unknown(NamedTuple):
    """The engine cannot tell."""

    why: str


CONFLICT = Failed(("eval_conflict_error",))

Answers = Invalid | list[Any]
"""Of each path the value (``...`` when undefined) or :class:`Failed` or :class:`Unknown`."""


class Difference(NamedTuple):
    """Two engines do not agree on a case."""

    between: str
    path: tuple[str, ...]
    left: Any
    right: Any

    @property
    def kind(self) -> str:
        """What shrinking keeps: who disagrees, and how."""
        return f"{self.between} {_shape(self.left)} {_shape(self.right)}"


def _shape(x: Any) -> str:
    return repr(x) if isinstance(x, (Invalid, Failed, Unknown)) else "..." if x is ... else "value"


def plain(x: Any) -> Any:
    """JSON with numbers compared by what they are."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, list):
        return [plain(v) for v in x]
    if isinstance(x, bool) or not isinstance(x, (int, float, Decimal, Fraction)):
        return x
    if isinstance(x, float) and not math.isfinite(x):
        return repr(x)
    return ("number", Fraction(x) if isinstance(x, (int, Fraction)) else Fraction(str(x)))


def compiled(case: Case, *, traced: bool) -> Answers:
    """What the compiled program says, in its fast or its evidence variant."""
    try:
        program: Program = compile_modules(case.modules, data=case.data)
        evidence = EvidenceProgram(program, {path[-1] for path in case.paths})
    except RegoErrors as errors:
        return Invalid(tuple(sorted({e.code for e in errors.errors})))
    except Exception as error:  # a leak, which is a difference to everything
        return Invalid((f"leaked {type(error).__name__}",))
    options = Options(now_ns=0, limits=LIMITS, strict_builtin_errors=case.strict)
    input_ = UNDEFINED if case.input is ... else case.input

    def ask(path: tuple[str, ...]) -> Any:
        try:
            if traced:
                value = evidence.start(input_, options).value(path)
                _check_entries(evidence, path, value, evidence.start(input_, options))
            else:
                value = program.context(input_, options, None).document(path)
        except RegoEvalError as error:
            return Failed((error.code,))
        except Exception as error:
            return Failed((f"leaked {type(error).__name__}",))
        return ... if value is UNDEFINED else _plain(value)

    return [ask(path) for path in case.paths]


def _plain(value: Any) -> Any:
    """A value of the engine, compared as the JSON text it is written as: with all digits."""
    return plain(json.loads(to_json_text(value), parse_float=Decimal))


def _check_entries(
    evidence: EvidenceProgram, path: tuple[str, ...], value: Any, evaluation: Evaluation
) -> None:
    """The clauses of a partial set, run one by one, give its elements."""
    entries = [e for e in evidence.entries if e.group.path == path and e.group.kind == "set"]
    if not entries:
        return
    outcomes = [evaluation.run(entry) for entry in entries]
    elements = [plain(s.value) for outcome in outcomes for s in outcome.solutions]
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    whole = plain(to_json(value))
    assert all(e in whole for e in elements), "a clause gives what the rule does not"
    assert all(e in elements for e in whole), "the rule gives what no clause does"


def reference(case: Case, *, backwards: bool = False) -> Answers:
    """What the naive evaluator says; it knows no static errors."""

    def ask(path: tuple[str, ...]) -> Any:
        try:
            return plain(evaluate(case.modules, [path], case.input, case.data, backwards)[0])
        except ConflictError:
            return Failed(("eval_conflict_error",))
        except UnsafeError:
            return Unknown("unsafe")
        except (NotImplementedError, RecursionError) as error:
            return Unknown(str(error) or type(error).__name__)
        except Exception as error:
            return Failed((f"leaked {type(error).__name__}: {error}",))

    return [ask(path) for path in case.paths]


def by_opa(case: Case, opa: Opa) -> Answers:
    """What OPA says."""
    try:
        opa.load(case.modules, case.data)
    except OpaError as error:
        return Invalid(tuple(error.codes))

    def ask(path: tuple[str, ...]) -> Any:
        try:
            return plain(opa.value(path, case.input, case.strict))
        except OpaError as error:
            if PANIC in error.codes:
                opa.load(case.modules, case.data)
            return Failed(tuple(error.codes))

    return [ask(path) for path in case.paths]


def differences(
    case: Case, opa: Opa | None, others: dict[str, Callable[[Case], Answers]] | None = None
) -> list[Difference]:
    """Where the engines do not agree with the fast variant; empty when they do."""
    fast = compiled(case, traced=False)
    found = _compare(case, "evidence", fast, compiled(case, traced=True))
    for name, ask in (others or {}).items():
        found += _compare(case, name, fast, ask(case))
    if opa is not None:
        said = by_opa(case, opa)
        if isinstance(said, Invalid):
            # It loads one module after the other and stops at the first that is wrong.
            read = dict(list(case.modules.items())[: opa.reached])
            fast_too = compiled(replace(case, modules=read, paths=()), traced=False)
            return found + _compare(case, "opa", fast_too, said)
        found += _compare(case, "opa", fast, said)
    if not isinstance(fast, Invalid) and not case.strict:
        for each in _compare(case, "reference", fast, reference(case)):
            # Whether a conflict is met depends on what an engine evaluates; OPA is the judge.
            errors = CONFLICT in (each.left, each.right)
            if not errors and not isinstance(each.right, Unknown):
                found.append(each)
    return found


def explained(case: Case, difference: Difference, opa: Opa | None) -> str:
    """Which of the differences that ``docs/reference/rego-support.md`` explains this is."""
    left, right = difference.left, difference.right
    if right == Failed((PANIC,)):
        return "OPA panics"
    if isinstance(left, Failed) or isinstance(right, Failed):
        return "which error is met" if _by_order(case, difference, opa) else ""
    if difference.between != "opa":
        return ""
    if isinstance(left, Invalid) and isinstance(right, Invalid):
        if set(left.codes) ^ set(right.codes) == {"rego_type_error", "rego_unsafe_var_error"}:
            return "unsafe or of the wrong type"
    return "an element twice" if left == _once(right) else ""


def _by_order(case: Case, difference: Difference, opa: Opa | None) -> bool:
    """Whether a difference is only about which errors of evaluation are met.

    OPA's index may rule a body out before the engine under test gets to the expression that
    makes it fail, and the other way round.  Then the naive evaluator meets a conflict too, in
    some order, or nobody differs when errors of builtins are not strict.
    """
    left, right = difference.left, difference.right
    if isinstance(left, Failed) and isinstance(right, Failed):
        return True
    lenient = replace(case, strict=False)
    if CONFLICT in (left, right):
        return any(CONFLICT in reference(lenient, backwards=b) for b in (False, True))
    return case.strict and not differences(replace(lenient, paths=(difference.path,)), opa)


def _once(value: Any) -> Any:
    """The value without the elements of arrays that are equal to the one before."""
    if isinstance(value, dict):
        return {k: _once(v) for k, v in value.items()}
    if not isinstance(value, list):
        return value
    items = [_once(v) for v in value]
    return [item for n, item in enumerate(items) if n == 0 or item != items[n - 1]]


def _compare(case: Case, name: str, fast: Answers, other: Answers) -> list[Difference]:
    if isinstance(fast, Invalid) or isinstance(other, Invalid):
        same = fast == other
        return [] if same else [Difference(name, (), fast, other)]
    return [
        Difference(name, path, a, b)
        for path, a, b in zip(case.paths, fast, other, strict=True)
        if a != b
    ]
