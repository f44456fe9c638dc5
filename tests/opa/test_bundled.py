"""Policies that an OPA has already: they are compared, used, and nothing is written."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.opa.conftest import EXAMPLES, NOW, Opa, Subject, case_of, running, told

from adjudge.evaluation import Judge, Settings
from adjudge.opa.errors import OpaError
from adjudge.opa.target import Target, parse_target
from adjudge.policyset import load_policy_set
from adjudge.yamlpolicy.text import as_rego

POLICY = """package app

# METADATA
# custom: {id: A-1, severity: high}
deny contains msg if { some x in input.xs; x > data.limits.most; msg := sprintf("%d", [x]) }

# METADATA
# custom: {id: A-2, severity: low}
deny contains {"msg": "two", "pointer": "/xs/1"} if count(input.xs) == 2

deny_one := "one value" if input.xs[0] == 1

applicable if input.xs
"""

LAID_OUT_OTHERWISE = POLICY.replace("; ", "\n    ").replace("# METADATA", "# Notes:")
DATA = {"limits": {"most": 2}, "words": ["a", 1.5, None]}
INPUT = {"xs": [1, 5]}


@pytest.fixture
def one(written: Callable[..., Subject]) -> Subject:
    """What is judged: the policies as files."""
    return written({"app.rego": POLICY, "data.json": json.dumps(DATA)}, INPUT)


@pytest.fixture
def with_bundle(tmp_path: Path) -> Iterator[Callable[..., Target]]:
    """Starts an OPA that has policies and data from the start."""
    started: list[Any] = []

    def start(policies: dict[str, str], data: Any = DATA) -> Target:
        folder = tmp_path / "bundle"
        folder.mkdir()
        for name, text in policies.items():
            (folder / name).write_text(text)
        (folder / "data.json").write_text(json.dumps(data))
        manager = running("--bundle", str(folder))
        started.append(manager)
        opa: Opa = manager.__enter__()
        return replace(opa.target, push=False)

    yield start
    for manager in started:
        manager.__exit__(None, None, None)


def codes(one: Subject, target: Target) -> set[str]:
    return {d.code for d in one.opa(target).decision.degradations}


def test_the_same_results_without_writing(one: Subject, with_bundle: Callable[..., Target]) -> None:
    target = with_bundle({"a.rego": LAID_OUT_OTHERWISE})
    there = one.opa(target)
    assert told(there) == told(one.embedded())
    assert [r.rule_id for r in there.decision.results if r.outcome == "fail"] == [
        "A-1",
        "A-2",
        "app/deny_one:11",
    ]
    (about,) = there.decision.degradations
    assert about.code == "opa_engine"
    # OPA calls a bundle from a folder by its path.
    assert len(about.detail["bundles"]) == 1  # type: ignore[index, arg-type, call-overload]


def test_tests_and_other_packages_do_not_count(
    one: Subject, with_bundle: Callable[..., Target]
) -> None:
    target = with_bundle(
        {
            "a.rego": POLICY,
            "a_test.rego": "package app\ntest_it if true\n",
            "b.rego": "package other\ndeny contains 1\n",
        },
        {**DATA, "other_tenant": 1},
    )
    assert told(one.opa(target)) == told(one.embedded())


@pytest.mark.parametrize(
    ("policies", "says"),
    [
        ({}, "does not have rules of the package app"),
        ({"a.rego": POLICY.replace("x > data", "x >= data")}, "app"),
        ({"a.rego": POLICY, "b.rego": "package app\ndeny contains 1\n"}, "has other rules"),
        ({"a.rego": POLICY.replace("package app", "package apps")}, "does not have"),
    ],
)
def test_other_policies_are_no_verdict(
    policies: dict[str, str], says: str, one: Subject, with_bundle: Callable[..., Target]
) -> None:
    with pytest.raises(OpaError, match=says) as caught:
        one.opa(with_bundle(policies))
    assert caught.value.code == "opa_policies_differ"
    assert caught.value.hint


@pytest.mark.parametrize("data", [{}, {**DATA, "words": []}, {"words": DATA["words"]}])
def test_other_data_are_no_verdict(
    data: Any, one: Subject, with_bundle: Callable[..., Target]
) -> None:
    with pytest.raises(OpaError) as caught:
        one.opa(with_bundle({"a.rego": POLICY}, data))
    assert caught.value.code == "opa_data_differs"


def test_shipped_policies_as_a_bundle_written_from_what_they_lower_to(
    with_bundle: Callable[..., Target],
) -> None:
    judge = Judge(load_policy_set(["pack:model-card"]))
    texts = {
        f"{n}.rego": judge.policies.texts[m.file] if m.file.endswith(".rego") else as_rego(m)
        for n, m in enumerate(judge.policies.modules)
    }
    one = Subject(
        judge, case_of(EXAMPLES / "support-assistant-broken"), Settings(now_ns=time.time_ns())
    )
    target = with_bundle(texts, dict(judge.policies.data))
    there = one.opa(target)
    assert told(there) == told(one.embedded())
    assert "opa_clock" in {d.code for d in there.decision.degradations}
    one.settings = Settings(now_ns=NOW)
    with pytest.raises(OpaError) as caught:
        one.opa(target)
    assert caught.value.code == "opa_clock_differs"


def test_a_policy_api_that_is_closed_is_told(one: Subject, tmp_path: Path) -> None:
    (tmp_path / "a.rego").write_text(POLICY)
    (tmp_path / "data.json").write_text(json.dumps(DATA))
    (tmp_path / "authz.rego").write_text(
        'package system.authz\ndefault allow := false\nallow if input.path[1] == "data"\n'
    )
    with running("--authorization=basic", str(tmp_path)) as opa:
        target = parse_target(opa.url, push=False)
        there = one.opa(target)
        assert told(there) == told(one.embedded())
        assert "opa_policies_unverified" in codes(one, target)
