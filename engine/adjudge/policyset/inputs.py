"""What policies see: the JSON Schema of each part of the input, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from adjudge.documents import registry


@cache
def input_schemas() -> dict[str, Mapping[str, Any]]:
    """The facts of every artifact kind, by kind, and the schemas of ``release``, ``git`` and
    ``context``.  Do not change them."""
    parts = {name: _read(f"schema/{name}-input.json") for name in ("release", "git", "context")}
    return {**registry.schemas(), **parts}


def _read(name: str) -> Mapping[str, Any]:
    text = resources.files(__package__).joinpath(name).read_text("utf-8")
    schema: Mapping[str, Any] = json.loads(text)
    return schema
