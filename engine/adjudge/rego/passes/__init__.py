"""The compiler's passes, in order; each is a module named for what it does."""

from __future__ import annotations

from adjudge.rego.passes import calls, flatten, names, recursion, safety, tree, types, undeclared
from adjudge.rego.passes.model import Compilation, Stage

PASSES = (
    (names, Stage.REFERENCES, Stage.VARIABLES),
    (undeclared, Stage.TEMPLATES, Stage.PRINTS),
    (tree, Stage.ANNOTATIONS, Stage.CONFLICTS),
    (calls, Stage.VOID_CALLS, Stage.FUNCTIONS),
    (flatten, Stage.HEAD_SAFETY, Stage.SAFETY),
    (safety, Stage.HEAD_SAFETY, Stage.SAFETY),
    (recursion, Stage.RECURSION, Stage.RECURSION),
    (types, Stage.TYPES, Stage.TYPES),
)
"""Each pass with the first stage that it finds errors of, and the one of most of them."""


def run_passes(comp: Compilation) -> None:
    """Run the passes but those of which known errors would hide all that they could find."""
    for one, first, stage in PASSES:
        if comp.major is None or comp.major >= first:
            comp.stage = stage
            one.run(comp)
    comp.stage = Stage.PLAN
