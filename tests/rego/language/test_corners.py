"""Corners of the language, each with what OPA answers (``corners.json``).

Heads of every shape, ``with`` on everything, ``every``, ``else``, defaults, template
strings, comprehensions in heads, unification, keywords as keys, comments anywhere, numbers,
operators that a policy defines anew, and version 0.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adjudge.rego import UNDEFINED, compile_modules

CORNERS = json.loads(Path(__file__).with_name("corners.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("number", range(len(CORNERS["cases"])))
def test_the_answer_is_opas(number: int) -> None:
    case: dict[str, Any] = CORNERS["cases"][number]
    version = 0 if case.get("v0") else 1
    program = compile_modules(
        case["modules"],
        data=CORNERS["data"] if case.get("data") else {},
        rego_version=version,
    )
    query = program.prepare(case["query"], rego_version=version)
    rows = query.eval(CORNERS["input"] if case.get("input") else UNDEFINED)
    answers = sorted(json.dumps(row.bindings, sort_keys=True) for row in rows)
    assert [json.loads(a) for a in answers] == [
        json.loads(a) for a in sorted(json.dumps(r, sort_keys=True) for r in case["result"])
    ]
