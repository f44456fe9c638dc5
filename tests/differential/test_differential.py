"""Generated programs mean the same to the compiled variants, the naive evaluator and OPA."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.differential.__main__ import run
from tests.differential.compare import Invalid, compiled, differences, reference
from tests.differential.generate import Case, case
from tests.differential.opa import Opa, binary
from tests.differential.shrink import shrink


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.randoms(use_true_random=False))
def test_no_difference(rng: random.Random) -> None:
    each = case(rng)
    assert differences(each, None) == [], each


def test_no_difference_in_many() -> None:
    assert run(150, seed=2, opa=None, show=3, small=False).found == 0


@pytest.mark.skipif(binary() is None, reason="there is no opa on this machine")
def test_no_difference_to_opa() -> None:
    with Opa(binary() or "") as opa:
        assert run(60, seed=3, opa=opa, show=3, small=False).found == 0


def test_most_cases_are_programs_with_answers() -> None:
    cases = [case(random.Random(n)) for n in range(60)]
    answers = [compiled(each, traced=False) for each in cases]
    valid = [each for each in answers if not isinstance(each, Invalid)]
    assert len(valid) > 30
    values = [value for each in valid for value in each]
    assert sum(value is not ... and value not in ([], {}) for value in values) > len(values) / 4


def test_the_same_seed_gives_the_same_case() -> None:
    assert case(random.Random("1/2")) == case(random.Random("1/2"))


CASE = Case(
    {"t.rego": "package t\n\np := 1 if {\n    input.a\n    input.b > 2\n}\n\nq := 2\n"},
    {"a": [1, {"c": 2}], "b": 3, "unused": {"x": []}},
    {"conf": {"also": "unused"}},
    (("t", "p"), ("t", "q")),
)


def test_a_difference_is_found_and_made_small(monkeypatch: Any) -> None:
    def wrong(each: Case) -> Any:
        return ["wrong" for _ in each.paths]

    monkeypatch.setattr("tests.differential.compare.reference", wrong)
    found = differences(CASE, None)
    assert {d.between for d in found} == {"reference"}

    def still(each: Case) -> bool:
        return compiled(replace(each, paths=each.paths[:1]), traced=False) == [("number", 1)]

    small = shrink(CASE, still)
    assert len(small.modules["t.rego"]) < len(CASE.modules["t.rego"])
    assert "q := 2" not in small.modules["t.rego"]
    assert small.data == {}


def test_what_is_no_program_is_none_for_everybody() -> None:
    unsafe = replace(CASE, modules={"t.rego": "package t\n\np if not x\n"})
    assert compiled(unsafe, traced=False) == Invalid(("rego_unsafe_var_error",))
    assert reference(replace(CASE, paths=(("t", "q"),))) == [("number", 2)]
