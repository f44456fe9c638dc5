"""Modules as a program's parts: what is read of them depends on the program."""

from __future__ import annotations

import pytest

from adjudge.rego import compile_modules
from adjudge.rego.capabilities import Capabilities
from adjudge.rego.errors import RegoErrors


def test_a_builtin_that_is_granted_cannot_stand_as_a_rule() -> None:
    with pytest.raises(RegoErrors, match="rule name conflicts with built-in function"):
        compile_modules({"a.rego": "package a\n\ncount(x)\n"})
    granted = Capabilities({})
    assert compile_modules({"a.rego": "package a\n\ncount(x)\n"}, capabilities=granted)
