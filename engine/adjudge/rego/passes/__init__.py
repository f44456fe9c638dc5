"""The compiler's passes, in order; each is a module named for what it does."""

from __future__ import annotations

from adjudge.rego.passes import calls, flatten, names, recursion, safety, tree, types, undeclared
from adjudge.rego.passes.model import Compilation, Stage

PASSES = (
    (names, Stage.REFERENCES),
    (undeclared, Stage.PRINTS),
    (tree, Stage.CONFLICTS),
    (calls, Stage.FUNCTIONS),
    (flatten, Stage.FUNCTIONS),
    (safety, Stage.SAFETY),
    (recursion, Stage.RECURSION),
    (types, Stage.TYPES),
)


def run_passes(comp: Compilation) -> None:
    """Run every pass; one that finds more than minor errors ends the sequence."""
    for one, stage in PASSES:
        comp.stage = stage
        one.run(comp)
        if comp.major is not None:
            return
    comp.stage = Stage.PLAN
