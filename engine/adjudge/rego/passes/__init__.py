"""The compiler's passes, in order; each is a module named for what it does."""

from __future__ import annotations

from adjudge.rego.passes import calls, flatten, names, recursion, safety, tree, types
from adjudge.rego.passes.model import Compilation

PASSES = (names, tree, calls, flatten, safety, recursion, types)


def run_passes(comp: Compilation) -> None:
    """Run every pass; a pass that finds errors ends the sequence after itself."""
    for one in PASSES:
        one.run(comp)
        if comp.errors:
            return
