"""The Python that the benchmark policies become, as a person reads it: ``NAME.txt``.

A change of the generated code is seen here first.  ``ADJUDGE_UPDATE_GOLDEN=1`` writes the
files anew; read the difference, and run ``make bench``, before keeping it.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.cases import BenchCase, guardrail, indexed, join, sbom

from adjudge.rego import compile_modules
from adjudge.rego.linking import FAST

FOLDER = Path(__file__).parent
CASES: dict[str, Callable[[], BenchCase]] = {
    "guardrail": guardrail,
    "sbom": lambda: sbom(1),
    "indexed": lambda: indexed(8),
    "join": lambda: join(1),
}


def generated(case: BenchCase) -> str:
    """The module of the fast variant."""
    program = compile_modules({"policy.rego": case.policy}, data=case.data)
    slots = range(len(program.groups))
    trees = [program._linker.emit(FAST, slot).tree for slot in slots]
    return "\n\n".join(ast.unparse(tree) for tree in trees if tree.body) + "\n"


@pytest.mark.parametrize("name", CASES)
def test_the_generated_code_is_the_known_one(name: str) -> None:
    found = generated(CASES[name]())
    golden = FOLDER / f"{name}.txt"
    if os.environ.get("ADJUDGE_UPDATE_GOLDEN"):
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")
