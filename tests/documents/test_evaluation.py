"""Results of evaluations: every tool in one form."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from adjudge.documents import registry
from adjudge.documents.reading import Source
from adjudge.errors import InputError

Write = Callable[[str, "str | bytes"], Source]
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"


def facts_of(value: Any, source: Write) -> Any:
    text = value if isinstance(value, str) else json.dumps(value)
    facts = registry.load("evaluation", source("results.json", text)).facts
    jsonschema.validate(facts, registry.kind_of("evaluation").schema())
    return facts


def case(success: bool, category: str | None = None, **more: Any) -> dict[str, Any]:
    metadata = {"pluginId": category} if category else {}
    return {"success": success, "metadata": metadata, "testCase": {"description": "t"}, **more}


def promptfoo(*cases: dict[str, Any], **config: Any) -> dict[str, Any]:
    return {
        "evalId": "eval-1",
        "results": {"timestamp": "2026-05-01T00:00:00Z", "results": list(cases), "stats": {}},
        "config": {"description": "support bot", **config},
    }


def test_promptfoo(source: Write) -> None:
    facts = facts_of(promptfoo(case(True), case(False), case(False, error="timeout")), source)
    assert facts["result"] == "FAILED"
    assert facts["counts"] == {"total": 3, "passed": 1, "warned": 0, "failed": 1, "errors": 1}
    assert facts["name"] == "support bot"
    assert facts["assurance"] == "self_declared"
    assert "red_team" not in facts
    assert facts_of(promptfoo(case(True)), source)["result"] == "PASSED"
    assert facts_of(promptfoo(), source)["result"] == "FAILED"


def test_red_team(source: Write) -> None:
    cases = [case(True, "pii"), case(False, "pii"), case(True, "jailbreak"), case(False, error="x")]
    red = facts_of(promptfoo(*cases, redteam={"purpose": "x"}), source)["red_team"]
    assert red["attacks"] == 4
    assert red["attack_success_rate"] == 0.5
    assert red["categories"] == [
        {"name": "jailbreak", "attacks": 1, "attack_success_rate": 0.0},
        {"name": "pii", "attacks": 2, "attack_success_rate": 0.5},
        {"name": "uncategorised", "attacks": 1, "attack_success_rate": 1.0},
    ]
    assert facts_of(promptfoo(redteam={"purpose": "x"}), source)["red_team"]["attacks"] == 0


def test_harness(source: Write) -> None:
    value = {
        "model_name": "acme/m",
        "lm_eval_version": "0.4.9",
        "results": {
            "mmlu": {"acc,none": 0.61, "acc_stderr,none": 0.004, "alias": "mmlu", "bad": True}
        },
        "versions": {"mmlu": 2},
    }
    facts = facts_of(value, source)
    assert facts["metrics"] == [
        {"type": "acc", "value": 0.61, "dataset": "mmlu", "revision": "2", "stderr": 0.004}
    ]
    assert facts["name"] == "acme/m"


def test_bare_test_result(source: Write) -> None:
    predicate = {"result": "PASSED", "configuration": [], "passedTests": ["a"], "failedTests": []}
    value = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "m", "digest": {"sha256": "ab" * 32}}],
        "predicateType": TEST_RESULT,
        "predicate": predicate,
    }
    facts = facts_of(value, source)
    assert facts["result"] == "PASSED"
    assert facts["reason_code"] == "no_signature"
    assert facts["subjects"][0]["digest"] == {"sha256": "ab" * 32}
    assert facts["counts"]["passed"] == 1
    lines = "\n".join([json.dumps(value)] * 2)
    with pytest.raises(InputError) as caught:
        facts_of(lines, source)
    assert caught.value.code == "evaluation_unknown_format"


@pytest.mark.parametrize(
    "value",
    [
        {"evalId": "e", "results": {"results": [5, {}], "stats": 5}},
        {
            "evalId": "e",
            "results": {"results": [{"success": "yes"}]},
            "config": {"redteam": {"a": 1}},
        },
        {"results": {"t": 5, "u": {"acc,none": "x"}}, "n-shot": {}},
    ],
)
def test_odd_shapes(value: Any, source: Write) -> None:
    facts_of(value, source)
