"""Groups in, the rule tree out; rules that stand in each other's way are errors."""

from __future__ import annotations

from collections.abc import Iterator

from adjudge.rego.passes.metadata import redeclared
from adjudge.rego.passes.model import Clause, Compilation, Group, Node, Path, Stage, path_text
from adjudge.rego.runtime.text import rego_text
from adjudge.rego.runtime.values import sorted_values
from adjudge.rego.syntax import Module, Ref, Rule, Scalar, Term, Var
from adjudge.source import Location


def run(comp: Compilation) -> None:
    """Fill ``comp.tree``."""
    for module in comp.modules:
        _node_at(comp.tree, module.package).packages.append(module)
    for group in comp.groups.values():
        _node_at(comp.tree, group.path).group = group
    for annotation, known in redeclared(comp.modules):
        message = f"{annotation.scope} annotation redeclared: {place(known.loc)}"
        comp.error(message, annotation.loc, "rego_type_error", stage=Stage.ANNOTATIONS)
    for path, loc in comp.replaced:
        if any(_has_group(comp.tree.find(path[:n])) for n in range(1, len(path))):
            message = "with keyword cannot partially replace virtual document(s)"
            comp.error(message, loc, stage=Stage.MODIFIERS)
    for group in comp.groups.values():
        _check(comp, group)
    for module in comp.modules:
        _check_packages(comp, module)


def _has_group(node: Node | None) -> bool:
    return node is not None and node.group is not None


def _node_at(root: Node, path: Path) -> Node:
    node = root
    for key in path:
        child = node.children.get(key)
        if child is None:
            child = node.children[key] = Node((*node.path, key))
        node = child
    return node


def _check(comp: Compilation, group: Group) -> None:
    node = comp.tree.find(group.path)
    below = _clauses_below(comp, group, node) if node is not None and node.children else []
    if below:
        named = [f"\n  rule {name} at {place(loc)}" for name, loc in below]
        message = f"rule {_name(comp, group)} conflicts with:{''.join(named)}"
        comp.error(message, group.loc, "rego_type_error")
    elif group.mixed:
        message = f"conflicting rules {_name(comp, group)} found"
        comp.error(message, group.loc, "rego_type_error")
    elif len(group.defaults) > 1 and group.default is not None:
        places = ", ".join(map(place, group.defaults))
        message = f"multiple default rules {_name(comp, group)} found at {places}"
        loc = comp.modules[group.default.module].package_loc
        comp.error(message, loc, "rego_type_error")


def _name(comp: Compilation, group: Group) -> str:
    """The path of a group as the last of its rules has it."""
    return max((clause_name(comp, c) for c in group.heads()), key=lambda found: found[1])[0]


def clause_name(comp: Compilation, clause: Clause) -> tuple[str, Location]:
    """The whole path of a clause, with its variables, and where the clause stands."""
    return rule_name(comp.modules[clause.module], clause.rule), clause.loc


def rule_name(module: Module, rule: Rule) -> str:
    """The whole path of a rule below ``data``, with the variables in it."""
    ref = rule.head.ref
    head = ref if isinstance(ref, Var) else ref.head
    name = head.name if isinstance(head, Var) else ""
    operands = ref.operands if isinstance(ref, Ref) else ()
    return path_text((*module.package, name)) + "".join(map(_operand, operands))


def _operand(term: Term) -> str:
    if isinstance(term, Scalar):
        if isinstance(term.value, str):
            return path_text((term.value,), "")
        return f"[{rego_text(term.value)}]"
    return f"[{term.name}]" if isinstance(term, Var) else "[...]"


def place(loc: Location) -> str:
    """A location without its column."""
    return f"{loc.file}:{loc.row}" if loc.file else f"{loc.row}:{loc.col}"


def _clauses_below(comp: Compilation, group: Group, node: Node) -> list[tuple[str, Location]]:
    """The rules below a group that may not be there, the first of each path."""
    found: dict[str, Location] = {}
    for other in _groups_below(node):
        if group.kind != "object" or other.kind == "function":
            for clause in other.heads():
                found.setdefault(*clause_name(comp, clause))
    return list(found.items())


def _groups_below(node: Node) -> Iterator[Group]:
    for key in sorted_values(node.children):
        child = node.children[key]
        if child.group is not None:
            yield child.group
        yield from _groups_below(child)


def _check_packages(comp: Compilation, module: Module) -> None:
    """Report rules of a module that stand where another module's package is."""
    base = comp.tree.find(module.package)
    for rule in module.rules:
        ref = rule.head.ref
        operands = ref.operands if isinstance(ref, Ref) else ()
        keys = [o.value for o in operands if isinstance(o, Scalar)]
        head = ref if isinstance(ref, Var) else ref.head
        if base is None or len(keys) < len(operands) or not isinstance(head, Var):
            continue
        node = base.find((head.name, *keys))  # type: ignore[arg-type]
        for other in node.packages if node is not None else ():
            shown = path_text(other.package[1:], other.package[0])
            written = path_text(tuple(keys), head.name)  # type: ignore[arg-type]
            comp.error(
                f"package {shown} conflicts with rule {written} defined at {place(rule.loc)}",
                module.package_loc,
                "rego_type_error",
            )
