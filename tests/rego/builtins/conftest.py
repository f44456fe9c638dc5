"""Contexts for builtins that ask for one."""

from __future__ import annotations

import pytest
from tests.rego.builtins.golden import Context


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture
def small_context() -> Context:
    """A context in which no result may have more than 100 elements."""
    return Context(max_size=100, steps=10_000)
