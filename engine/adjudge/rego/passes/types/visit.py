"""Which closures and references there are in a part of the tree, in the order of the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from adjudge.rego.passes.types.terms import Comprehension
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Body,
    Call,
    Condition,
    Every,
    Expr,
    Logical,
    Not,
    Object,
    ObjectCompr,
    Ref,
    Scalar,
    Set,
    SetCompr,
    SomeIn,
    Statement,
    Term,
    Var,
    With,
)

Node: TypeAlias = Body | Statement | Expr | Condition | With


def is_computed(term: Term) -> bool:
    """Whether there are references or comprehensions in a term."""
    if isinstance(term, Scalar | Var):
        return False
    if isinstance(term, Object):
        return any(is_computed(k) or is_computed(v) for k, v in term.pairs)
    if isinstance(term, Array | Set):
        return any(map(is_computed, term.items))
    return True


def children(node: Node, *, withs: bool) -> tuple[Node, ...]:
    """What stands directly in a node; ``withs``: modifiers, too."""
    match node:
        case tuple():
            return node
        case Expr():
            return (node.term, *node.withs) if withs else (node.term,)
        case Call():
            return node.args
        case Ref():
            return (node.head, *node.operands)
        case Array() | Set():
            return node.items
        case Object():
            return tuple(term for pair in node.pairs for term in pair)
        case ArrayCompr() | SetCompr():
            return (*node.body, node.term)
        case ObjectCompr():
            return (*node.body, node.key, node.value)
        case With():
            return (node.value,)
    return _of_statement(node)


def _of_statement(node: Node) -> tuple[Node, ...]:
    match node:
        case SomeIn(key=key):
            return (node.value, node.domain) if key is None else (node.value, node.domain, key)
        case Every():
            return (node.domain, *node.body)
        case Not():
            return node.condition.body
        case Logical():
            return (*node.left.body, *node.right.body)
        case Condition():
            return node.body
    return ()


def nested_closures(node: Node) -> Iterator[Comprehension]:
    """The comprehensions within a node, not those within them."""
    stack = list(reversed(children(node, withs=True)))
    while stack:
        item = stack.pop()
        if isinstance(item, ArrayCompr | SetCompr | ObjectCompr):
            yield item
        elif not isinstance(item, Scalar | Var):
            stack.extend(reversed(children(item, withs=True)))


def plain_references(node: Node) -> Iterator[Ref]:
    """The references within a node that stand in no comprehension and no modifier, operands
    before what they are operands of."""
    stack: list[tuple[Node, bool]] = [(node, False)]
    while stack:
        item, entered = stack.pop()
        if isinstance(item, Ref) and entered:
            yield item
        elif not isinstance(item, Scalar | Var | ArrayCompr | SetCompr | ObjectCompr):
            below = children(item, withs=False)
            if isinstance(item, SomeIn):
                below = _as_reference(item)
            if isinstance(item, Ref):
                stack.append((item, True))
            stack.extend((child, False) for child in reversed(below))


def _as_reference(some: SomeIn) -> tuple[Node, ...]:
    """``some k, v in xs`` is ``v = xs[k]``."""
    key = some_key(some)
    domain = some.domain
    if isinstance(domain, Ref):
        return (some.value, Ref(domain.head, (*domain.operands, key), domain.loc))
    return (some.value, Ref(domain, (key,), domain.loc))


def some_key(some: SomeIn) -> Term:
    """The key of ``some … in``; where none is written, a variable named for the place."""
    if some.key is not None:
        return some.key
    return Var(f"$some~{some.loc.row}~{some.loc.col}", some.loc)
