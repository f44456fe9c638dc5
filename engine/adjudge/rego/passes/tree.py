"""Groups in, the rule tree out; rules that stand in each other's way are errors."""

from __future__ import annotations

from adjudge.rego.passes.model import Compilation, Group, Node, Path, path_text


def run(comp: Compilation) -> None:
    """Fill ``comp.tree``."""
    for module in comp.modules:
        _node_at(comp.tree, module.package)
    for group in comp.groups.values():
        _node_at(comp.tree, group.path).group = group
    for group in comp.groups.values():
        _check(comp, group)


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
    if node is None or not node.children:
        return
    below = _groups_below(node)
    if group.kind == "object":
        below = [g for g in below if g.kind == "function"]
    if not below:
        return
    names = ", ".join(path_text(g.path) for g in below)
    comp.error(
        f"rule {path_text(group.path)} conflicts with [{names}]", group.first.loc, "rego_type_error"
    )


def _groups_below(node: Node) -> list[Group]:
    out: list[Group] = []
    for child in node.children.values():
        if child.group is not None:
            out.append(child.group)
        out.extend(_groups_below(child))
    return out
