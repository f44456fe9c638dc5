"""Recorded answers of builtins, one case a line in ``data/*.jsonl``.

``{"call": name, "args": [...], "want": answer}``, or ``error`` and ``code`` in place of
``want``, or neither where the call is undefined.  ``{"$set": [...]}`` is a set and
``{"$text": name}`` one of the long texts in ``data/texts.json``.  With ``pick`` only the
part of the answer at those keys is compared.

The same cases are put to the real OPA when it is there, so a record cannot be wrong for long.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adjudge.rego.runtime.values import UNDEFINED

DATA = Path(__file__).parent / "data"
FILES = sorted(DATA.glob("*.jsonl"))


def cases(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def part(case: dict[str, Any], answer: Any) -> Any:
    if not isinstance(answer, tuple):
        for key in case.get("pick", ()):
            answer = answer[key]
    return answer


def wanted(case: dict[str, Any]) -> Any:
    if "error" in case:
        return (case["error"], case["code"])
    return case.get("want", UNDEFINED)


def same(a: Any, b: Any) -> bool:
    """Equality that tells 1 from true, and an error from an array."""
    return type(a) is type(b) and json.dumps(a, sort_keys=True, default=repr) == json.dumps(
        b, sort_keys=True, default=repr
    )


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_answers(
    path: Path, plain_outcome: Callable[..., Any], decoded: Callable[[Any], Any]
) -> None:
    wrong = []
    for case in cases(path):
        got = part(case, plain_outcome(case["call"], *decoded(case["args"])))
        if not same(got, wanted(case)):
            wrong.append((case["call"], case["args"], "got", got, "want", wanted(case)))
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_opa_agrees(path: Path, opa: Any, tmp_path: Path, decoded: Callable[[Any], Any]) -> None:
    listed = cases(path)
    answers = opa.answers([(c["call"], decoded(c["args"])) for c in listed], tmp_path)
    wrong = []
    for case, answer in zip(listed, answers, strict=True):
        if not same(part(case, answer), wanted(case)):
            wrong.append((case["call"], case["args"], "opa", answer, "want", wanted(case)))
    assert not wrong
