"""What fuzzing has found stays repaired."""

from __future__ import annotations

import pytest

from adjudge.rego import RegoErrors, compile_modules
from adjudge.rego.parser import parse_module


@pytest.mark.parametrize("rest", ["as.rule", "\nas.rule := 1", 'as["rule"] := 1'])
def test_as_after_an_import_begins_its_alias(rest: str) -> None:
    with pytest.raises(RegoErrors, match="expected var"):
        parse_module(f"package a\n\nimport data.x {rest}\n")


@pytest.mark.parametrize("target", ["input", "input.a", "data.other"])
def test_a_function_does_not_take_the_place_of_a_document(target: str) -> None:
    with pytest.raises(RegoErrors, match="used as reference, not called"):
        compile_modules({"t.rego": f"package t\n\nf(x) := x\n\np if input.x with {target} as f\n"})
