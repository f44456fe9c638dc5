"""Walks over the syntax tree that the parser's own checks need; none of them recurses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Call,
    Condition,
    Every,
    Expr,
    Logical,
    Not,
    Object,
    ObjectCompr,
    Ref,
    Rule,
    Scalar,
    Set,
    SetCompr,
    SomeDecl,
    SomeIn,
    Statement,
    Template,
    Term,
    Var,
    With,
)

Node = Statement | Expr | Condition | With | Rule | str | None


def contains_variable(terms: Iterable[Term]) -> str:
    """``var``, ``ref`` or ``call``: the first such thing in the terms, or nothing.

    Comprehensions are closures and not looked into.
    """
    stack: list[Node] = list(terms)
    while stack:
        node = stack.pop()
        if isinstance(node, (Var, Ref, Call)):
            if isinstance(node, Var):
                return "ref" if node.name in ("input", "data") else "var"
            return "ref" if isinstance(node, Ref) else "call"
        if isinstance(node, (Array, Object, Set, Template, Expr)):
            stack.extend(children(node))
    return ""


def deeper_than(root: Rule, limit: int) -> bool:
    """Whether a chain of more than ``limit`` nodes leads down from ``root``."""
    stack: list[tuple[Node, int]] = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > limit:
            return True
        stack.extend((child, depth + 1) for child in children(node))
    return False


def children(node: Node) -> Iterator[Node]:
    """The nodes right below a node."""
    match node:
        case Ref():
            yield node.head
            yield from node.operands
        case Array() | Set():
            yield from node.items
        case Object():
            for pair in node.pairs:
                yield from pair
        case Call():
            yield node.operator
            yield from node.args
        case Template():
            yield from node.parts
        case ArrayCompr() | SetCompr():
            yield node.term
            yield from node.body
        case ObjectCompr():
            yield from (node.key, node.value, *node.body)
        case Expr():
            yield node.term
            yield from node.withs
        case With():
            yield from (node.target, node.value)
        case SomeIn():
            yield from (node.key, node.value, node.domain)
        case Every():
            yield from (node.key, node.value, node.domain, *node.body)
        case SomeDecl():
            yield from node.names
        case Not():
            yield node.condition
        case Logical():
            yield from (node.left, node.right)
        case Condition():
            yield from node.body
        case Rule(head=head):
            yield from (head.ref, head.key, head.value, *(head.args or ()), *node.body)
            yield node.orelse
        case Scalar() | Var() | str() | None:
            return
