"""Types: ordered bodies in, errors about types out, and the types of documents and variables.

Infers the types of rules, functions and local variables as OPA does and words errors as
OPA words them.  Without a schema, ``input`` and base documents may be anything.
"""

from __future__ import annotations

from adjudge.rego.passes.model import Compilation
from adjudge.rego.passes.types.keys import scalar_key
from adjudge.rego.passes.types.rules import Inferred, RuleChecker, in_order
from adjudge.rego.passes.types.schemas import SchemaError
from adjudge.rego.passes.types.tree import TypeTree
from adjudge.rego.syntax import Body
from adjudge.source import NOWHERE


def run(comp: Compilation) -> None:
    """Fill ``comp.types``, ``comp.inferred`` and the ``types`` of all clauses."""
    inferred = comp.inferred = Inferred()
    tree = TypeTree(inferred.table)
    inferred.layers = (tree,)
    checker = RuleChecker(comp, inferred)
    try:
        inferred.layers = (tree, *checker.schemas.base())
    except SchemaError as e:
        comp.error(str(e), NOWHERE, "rego_type_error")
        return
    for group in in_order(comp):
        checker.group(group)
    for path in comp.groups:
        found = tree.at(tuple(map(scalar_key, path)))
        if found is not None:
            comp.types[path] = found


def check_query(comp: Compilation, body: Body) -> None:
    """Check the ordered body of a query over a compilation."""
    RuleChecker(comp, comp.inferred, body).check_query(body)
