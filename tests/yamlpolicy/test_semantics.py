"""What every operator means, for values that are there, missing, null and of a wrong type.

Each row is a condition and facts with what it must say of them.  All rows run in adjudge,
where a failing builtin is an error, and in the real OPA, where it is undefined: a row that
agrees in both neither fails nor goes silent.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.yamlpolicy.support import compiled, findings, findings_by_opa, policy

from adjudge.yamlpolicy import PolicyModule

FACTS = {"title": "T", "tags": [], "components": []}
DATA = {
    "allowed": {"licenses": ["MIT", "Apache-2.0"], "named": {"a": "MIT"}},
    "limits": {"score": 0.5, "tags": 2},
    "text": "bad",
    "day": "2025-06-01",
}
Rows = list[tuple[PolicyModule, Any, bool, str]]

TABLE = json.loads(Path(__file__).with_name("data").joinpath("semantics.json").read_text("utf-8"))


def input_of(case: dict[str, Any]) -> dict[str, Any]:
    """The input of a card with the facts or the document of a case."""
    return {
        "kind": "card",
        "path": "card.md",
        "document": case.get("document", {}),
        "facts": {**FACTS, **case.get("facts", {})},
        "release": {"name": "r"},
    }


@pytest.fixture(params=TABLE)
def rows(
    request: pytest.FixtureRequest,
) -> Rows:
    """Compiled policy, input, whether it must fire, and a name; for each row of a group."""
    found = []
    for row in TABLE[request.param]:
        module = compiled(policy(row["when"]))
        for case, fires in row["cases"]:
            found.append((module, input_of(case), fires, f"{row['when']} on {case}"))
    return found


def wrong_rows(rows: Rows, results: list[Any]) -> list[str]:
    """The names of rows whose result is not the expected one."""
    return [
        name
        for (_, _, fires, name), result in zip(rows, results, strict=True)
        if result is None or bool(result) != fires
    ]


def test_operators_mean_what_the_table_says(rows: Rows) -> None:
    results = [findings(module, value, DATA) for module, value, _, _ in rows]
    assert wrong_rows(rows, results) == []


def test_opa_agrees(rows: Rows, tmp_path: Path) -> None:
    cases = [(module, value) for module, value, _, _ in rows]
    assert wrong_rows(rows, findings_by_opa(cases, tmp_path, DATA)) == []
