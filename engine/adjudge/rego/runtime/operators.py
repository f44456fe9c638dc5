"""What generated code calls for the operations that Python has no exact word for.

Functions here are on the hot path: they take and give plain values, and
``UNDEFINED`` where Rego has no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from adjudge.rego.errors import RegoEvalError
from adjudge.rego.runtime.values import (
    UNDEFINED,
    RegoSet,
    Value,
    box,
    compare,
    equal,
    plain_items,
    sorted_items,
)

if TYPE_CHECKING:
    from adjudge.rego.runtime.context import Context

LOOKUP_ERRORS = (KeyError, TypeError, IndexError)


def less(a: Value, b: Value) -> bool:
    """``a < b`` in Rego's order."""
    cls = a.__class__
    if cls is b.__class__ and (cls is int or cls is str or cls is float):
        return bool(a < b)
    return compare(a, b) < 0


def less_equal(a: Value, b: Value) -> bool:
    """``a <= b`` in Rego's order."""
    cls = a.__class__
    if cls is b.__class__ and (cls is int or cls is str or cls is float):
        return bool(a <= b)
    return compare(a, b) <= 0


def at(coll: Value, key: Value) -> Value:
    """``coll[key]``, or ``UNDEFINED``."""
    cls = coll.__class__
    if cls is dict:
        if key.__class__ is str:
            return coll.get(key, UNDEFINED)
        return coll.get(box(key), UNDEFINED)
    if cls is list:
        if key.__class__ is not int:
            if key.__class__ is float and key.is_integer():
                key = int(key)
            else:
                return UNDEFINED
        return coll[key] if 0 <= key < len(coll) else UNDEFINED
    if cls is RegoSet:
        return key if box(key) in coll.boxed else UNDEFINED
    return UNDEFINED


def values(c: Context, coll: Value) -> Iterable[Value]:
    """The elements of a collection in no particular order; nothing for other values."""
    cls = coll.__class__
    if cls is list:
        found = coll
    elif cls is dict or cls is RegoSet:
        found = coll.values()
    else:
        return ()
    c.steps -= len(found) + 1
    if c.steps < 0:
        c.refill()
    return found  # type: ignore[no-any-return]


def pairs(c: Context, coll: Value) -> Iterable[tuple[Value, Value]]:
    """Keys and elements of a collection in no particular order (a set's key is its element)."""
    cls = coll.__class__
    found: Iterable[tuple[Value, Value]]
    if cls is list:
        found = enumerate(coll)
    elif cls is dict:
        found = plain_items(coll)
    elif cls is RegoSet:
        found = [(v, v) for v in coll.values()]
    else:
        return ()
    c.steps -= len(coll) + 1
    if c.steps < 0:
        c.refill()
    return found


def ordered_values(c: Context, coll: Value) -> Iterable[Value]:
    """The elements in Rego's order."""
    cls = coll.__class__
    if cls is dict:
        return [v for _, v in ordered_pairs(c, coll)]
    if cls is RegoSet:
        c.charge(len(coll) + 1)
        return coll.ordered()  # type: ignore[no-any-return]
    return values(c, coll)


def ordered_pairs(c: Context, coll: Value) -> Iterable[tuple[Value, Value]]:
    """Keys and elements in Rego's order."""
    cls = coll.__class__
    if cls is dict:
        c.charge(len(coll) + 1)
        return sorted_items(coll)
    if cls is RegoSet:
        c.charge(len(coll) + 1)
        return [(v, v) for v in coll.ordered()]
    return pairs(c, coll)


def index_by(
    c: Context, coll: Value, field: str, ordered: bool
) -> dict[Hashable, list[tuple[Value, Value]]]:
    """Keys and elements of a collection by the value of one of the elements' fields."""
    out: dict[Hashable, list[tuple[Value, Value]]] = {}
    for key, item in ordered_pairs(c, coll) if ordered else pairs(c, coll):
        found = at(item, field)
        if found is not UNDEFINED:
            out.setdefault(box(found), []).append((key, item))
    return out


def is_collection(value: Value) -> bool:
    """Whether the value can be iterated."""
    return value.__class__ in (list, dict, RegoSet)


def member(item: Value, coll: Value) -> bool:
    """``item in coll``."""
    cls = coll.__class__
    if cls is RegoSet:
        return (item if item.__class__ is str else box(item)) in coll.boxed
    if cls is list:
        if item.__class__ is str:
            return item in coll
        return any(equal(item, v) for v in coll)
    if cls is dict:
        return any(equal(item, v) for v in coll.values())
    return False


def member_key(key: Value, item: Value, coll: Value) -> bool:
    """``key, item in coll``."""
    found = at(coll, key)
    return found is not UNDEFINED and equal(found, item)


def make_object(c: Context, items: Sequence[tuple[Value, Value]]) -> dict[Hashable, Value]:
    """An object literal; equal keys with different values are a conflict."""
    out: dict[Hashable, Value] = {}
    for key, value in items:
        put(c, out, key, value)
    return out


def put(c: Context, acc: dict[Hashable, Value], key: Value, value: Value) -> None:
    """Add a pair to an object under construction."""
    k = box(key)
    known = acc.get(k, UNDEFINED)
    if known is UNDEFINED:
        acc[k] = value
    elif not equal(known, value):
        c.conflict("object")


def matcher(pattern: str) -> Callable[[str], bool]:
    """``regex.match`` with a pattern that is known, compiled when it is first used."""

    def compiled() -> Any:
        # Policies that use no pattern need not pay for loading the regular expressions.
        from adjudge.rego.builtins.patterns import compile_pattern

        return compile_pattern(pattern).search

    return _once_compiled(compiled)


def glob_matcher(glob: str, delimiters: list[str] | None) -> Callable[[str], bool]:
    """``glob.match`` with a glob that is known, compiled when it is first used."""

    def compiled() -> Any:
        # As above.
        from adjudge.rego.builtins.globs import compile_glob

        separators = "" if delimiters is None else "".join(delimiters) or "."
        return compile_glob(glob, separators).search

    return _once_compiled(compiled)


def _once_compiled(compiled: Callable[[], Any]) -> Callable[[str], bool]:
    search: Any = None

    def match(text: str) -> bool:
        nonlocal search
        if search is None:
            search = compiled()
        return search(text) is not None

    return match


class Elements:
    """A partial set inside a partial object, while it is built."""

    __slots__ = ("boxed",)

    def __init__(self) -> None:
        self.boxed: set[Hashable] = set()


class Branch(dict[Hashable, Any]):
    """An inner object of a partial object, while it is built (a value never is one)."""

    __slots__ = ()


def insert(
    c: Context, acc: dict[Hashable, Any], path: tuple[Value, ...], value: Value, multi: bool
) -> None:
    """Add ``value`` below ``path``; with ``multi`` as an element of the set there."""
    node = acc
    for key in path[:-1]:
        k = box(key)
        below = node.get(k, UNDEFINED)
        if below is UNDEFINED:
            below = node[k] = Branch()
        elif not isinstance(below, Branch):
            c.conflict("object")
        node = below
    last = box(path[-1])
    known = node.get(last, UNDEFINED)
    if multi:
        if known is UNDEFINED:
            known = node[last] = Elements()
        elif not isinstance(known, Elements):
            c.conflict("object")
        known.boxed.add(box(value))
    elif known is UNDEFINED:
        node[last] = value
    elif isinstance(known, Branch | Elements) or not equal(known, value):
        c.conflict("object")


def merge_documents(virtual: Value, base: Value) -> Value:
    """Base and virtual documents as one; where both define a leaf, the base document wins."""
    if virtual is UNDEFINED:
        return base
    if base is UNDEFINED:
        return virtual
    if virtual.__class__ is not dict or base.__class__ is not dict:
        return base
    out = dict(base)
    for key, value in virtual.items():
        out[key] = merge_documents(value, base.get(key, UNDEFINED))
    return out


def join(a: Any, b: Any) -> Any:
    """Two rules' contributions to one path, as made by :func:`insert`; a leaf defined
    twice must be equal."""
    if a is UNDEFINED:
        return b
    if b is UNDEFINED:
        return a
    if isinstance(a, Branch) and isinstance(b, Branch):
        out = Branch(a)
        for key, value in b.items():
            out[key] = join(out.get(key, UNDEFINED), value)
        return out
    if isinstance(a, Elements) and isinstance(b, Elements):
        both = Elements()
        both.boxed = a.boxed | b.boxed
        return both
    if not isinstance(a, Branch | Elements) and not isinstance(b, Branch | Elements):
        if equal(a, b):
            return a
    raise RegoEvalError("eval_conflict_error", "object keys must be unique")


def finish(acc: Any) -> Value:
    """The finished value of a partial object."""
    if isinstance(acc, Elements):
        return RegoSet.of_boxed(acc.boxed)
    if isinstance(acc, Branch):
        return {key: finish(value) for key, value in acc.items()}
    return acc
