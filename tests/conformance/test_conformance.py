"""The shared conformance cases, behind a ratchet that only grows."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from tests.conformance.cases import judge, read_cases

from adjudge.rego.builtins import catalog
from adjudge.rego.capabilities import all_capabilities

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "conformance" / "opa-v1.jsonl"
RATCHET = Path(__file__).with_name("ratchet.json")


@pytest.mark.skipif(not SHARED.exists(), reason="the shared conformance cases are not here")
def test_no_category_passes_fewer_cases_than_before() -> None:
    want: dict[str, int] = json.loads(RATCHET.read_text(encoding="utf-8"))
    passed: Counter[str] = Counter()
    failures: dict[str, list[str]] = {}
    for case in read_cases(SHARED):
        verdict = judge(case)
        if verdict.passed:
            passed[case["category"]] += 1
        else:
            failures.setdefault(case["category"], []).append(
                f"{case['note']}: {verdict.problem[:300]}"
            )
    behind = {c: failures.get(c, []) for c, count in want.items() if passed[c] < count}
    assert behind == {}
    grown = {c: n for c, n in passed.items() if n > want.get(c, 0)}
    assert grown == {}, "more cases pass than the ratchet says; write the new counts down"


def test_a_case_that_is_wrong_fails() -> None:
    case = {
        "note": "x",
        "query": "data.t.p = x",
        "modules": ["package t\n\np := 1\n"],
        "want_result": [{"x": 2}],
    }
    assert not judge(case).passed
    assert judge({**case, "want_result": [{"x": 1}]}).passed
    assert not judge({**case, "want_result": None, "want_error_code": "eval_type_error"}).passed


def test_every_declared_builtin_is_implemented() -> None:
    compiled = {"assign", "eq", "rego.metadata.chain", "rego.metadata.rule"}
    missing = set(all_capabilities().builtins) - catalog.names() - compiled
    assert missing == set()
    for name in catalog.names():
        found = catalog.find(name)
        assert found is not None
        assert found.name == name
        # OPA calls the schema builtins nondeterministic, as they may fetch; ours never do.
        declared = all_capabilities().builtins[name].nondeterministic
        assert found.nondeterministic == (declared and not name.startswith("json."))
