"""Fixtures that speak to the real OPA and write our tree the way OPA writes its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adjudge.rego.ast_json import module_json
from adjudge.rego.syntax import Module

SHARED = Path(__file__).resolve().parents[3].parent / "shared"

Json = Any


@pytest.fixture(scope="session")
def opa() -> str:
    """The OPA program."""
    found = shutil.which("opa") or shutil.which("opa", path=str(Path.home() / "go" / "bin"))
    if found is None:
        pytest.skip("the opa program is not installed")
    return found


@pytest.fixture(scope="session")
def conformance_modules() -> list[str]:
    """Every module text of the conformance cases."""
    path = SHARED / "conformance" / "opa-v1.jsonl"
    if not path.exists():
        pytest.skip("the conformance cases are not beside the project")
    cases = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [text for case in cases for text in case.get("modules") or []]


@pytest.fixture(scope="session")
def opa_trees(opa: str) -> Callable[[list[str]], list[Json]]:
    """A function from module texts to OPA's trees, None where OPA refuses the text."""

    def parse(texts: list[str]) -> list[Json]:
        query = (
            "[t | some m in input;"
            ' t := object.get({1: x | x := rego.parse_module("m", m)}, 1, null)]'
        )
        done = subprocess.run(
            [opa, "eval", "--stdin-input", "--format=json", query],
            input=json.dumps(texts),
            capture_output=True,
            text=True,
            check=True,
        )
        result = json.loads(done.stdout)
        trees: list[Json] = result["result"][0]["expressions"][0]["value"]
        for tree in trees:
            if tree is not None:
                tree.pop("comments", None)
        return trees

    return parse


@pytest.fixture(scope="session")
def as_opa() -> Callable[[Module], Json]:
    """A function that writes a module as OPA's JSON."""
    return lambda module: json.loads(json.dumps(module_json(module), default=str))
