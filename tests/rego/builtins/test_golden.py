"""Every builtin family against answers that OPA gave (data/*.jsonl)."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from tests.rego.builtins.golden import Context, ask_opa, opa_binary, read_cases

from adjudge.rego.builtins.registry import BuiltinError, declared
from adjudge.rego.runtime.text import rego_text
from adjudge.rego.runtime.values import UNDEFINED

DATA = Path(__file__).parent / "data"
FAMILIES = sorted(path.stem for path in DATA.glob("*.jsonl"))

MODULES = (
    *(
        "aggregates",
        "arithmetic",
        "arrays",
        "bits",
        "conversions",
        "encoding",
        "globs",
        "globs_meet",
        "graph",
    ),
    *(
        "json_paths",
        "json_text",
        "numbers_range",
        "objects",
        "regex",
        "semver",
        "rendering",
        "sets",
        "sprintf",
    ),
    *("strings", "templates", "types", "units", "yaml_text"),
)

for _module in MODULES:
    importlib.import_module(f"adjudge.rego.builtins.{_module}")


def answer(case: dict[str, Any]) -> dict[str, Any]:
    """What our builtin answers to the case."""
    builtin = declared()[case["call"]]
    args = [Context(), *case["args"]] if builtin.context else case["args"]
    try:
        value = builtin.function(*args)
    except BuiltinError as error:
        return {"error": error.message}
    if builtin.relation:
        value = list(value)
    return {} if value is UNDEFINED else {"want": rego_text([value])}


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_as_opa_does(family: str) -> None:
    wrong = []
    for case in read_cases(DATA / f"{family}.jsonl"):
        want = {key: case[key] for key in ("want", "error") if key in case}
        got = answer(case)
        if got != want:
            wrong.append(f"{case['call']}({rego_text(case['args'])}): want {want}, got {got}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("family", FAMILIES)
def test_opa_still_answers_so(family: str, tmp_path: Path) -> None:
    opa = opa_binary()
    if opa is None:
        pytest.skip("needs the real OPA: put opa on the path or name it in OPA_BIN")
    cases = read_cases(DATA / f"{family}.jsonl")
    wrong = []
    for case, got in zip(cases, ask_opa(opa, cases, tmp_path), strict=True):
        want = {key: case[key] for key in ("want", "error") if key in case}
        if got != want:
            wrong.append(f"{case['call']}({rego_text(case['args'])}): kept {want}, OPA {got}")
    assert not wrong, "\n".join(wrong)
