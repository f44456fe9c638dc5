"""Every builtin with systematic arguments beside the real OPA: answers and error messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.rego.builtins.arguments import SKIPPED, cases
from tests.rego.builtins.golden import Context, ask_opa, opa_binary

from adjudge.rego.builtins import catalog
from adjudge.rego.builtins.registry import Builtin, BuiltinError
from adjudge.rego.capabilities import all_capabilities
from adjudge.rego.runtime.text import rego_text
from adjudge.rego.runtime.values import UNDEFINED

CASES = 50
"""Calls of each builtin."""

OTHER_WORDS = {"crypto.x509.parse_certificate_request": "which part of the ASN.1 is wrong"}
"""Builtins whose errors are the same and say less; with what they do not say."""

OTHER_ANSWERS = {
    ("to_number", '"+1"'): "OPA gives a number that is no JSON",
    ("to_number", '"1_0"'): "OPA gives a number that is no JSON",
    ("to_number", '".5"'): "OPA gives a number that is no JSON",
    ("to_number", '"5."'): "OPA gives a number that is no JSON",
}
"""Deliberate differences (docs/reference/rego-support.md)."""

NAMES = sorted(set(all_capabilities().builtins) - set(SKIPPED))
GROUPS = [NAMES[start : start + 20] for start in range(0, len(NAMES), 20)]


def test_every_builtin_of_opa_is_there() -> None:
    assert {name for name in NAMES if catalog.find(name) is None} == set()


@pytest.fixture(scope="module")
def opa() -> str:
    """The real OPA."""
    found = opa_binary()
    if found is None:
        pytest.skip("opa is not installed")
    return found


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: f"{names[0]}..{names[-1]}")
def test_answers_and_errors_are_those_of_opa(opa: str, names: list[str], tmp_path: Path) -> None:
    declared = all_capabilities().builtins
    calls = [c for name in names for c in cases(name, declared[name], CASES)]
    wrong = []
    for call, theirs in zip(calls, ask_opa(opa, calls, tmp_path), strict=True):
        name, shown = call["call"], ", ".join(map(rego_text, call["args"]))
        ours = answer(_found(name), call["args"])
        if "error" in ours and "error" in theirs and name in OTHER_WORDS:
            continue
        if ours != theirs and (name, shown) not in OTHER_ANSWERS:
            wrong.append(f"{name}({shown})\n  opa:  {theirs}\n  ours: {ours}")
    assert wrong == []


def _found(name: str) -> Builtin:
    found = catalog.find(name)
    assert found is not None
    return found


def answer(builtin: Builtin, args: list[Any]) -> dict[str, Any]:
    """What our builtin answers, in the form of ``ask_opa``."""
    try:
        value = builtin.function(*([Context()] if builtin.context else []), *args)
    except BuiltinError as e:
        return {"error": e.message}
    return {} if value is UNDEFINED else {"want": rego_text([value])}
