"""What fuzzing has found stays repaired."""

from __future__ import annotations

import pytest

from adjudge.rego import RegoErrors
from adjudge.rego.parser import parse_module


@pytest.mark.parametrize("rest", ["as.rule", "\nas.rule := 1", 'as["rule"] := 1'])
def test_as_after_an_import_begins_its_alias(rest: str) -> None:
    with pytest.raises(RegoErrors, match="expected var"):
        parse_module(f"package a\n\nimport data.x {rest}\n")
