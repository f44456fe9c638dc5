"""What a type is: immutable nodes, each distinct type one object of a :class:`Table`.

Where nothing is known the type is None (shown as ``???``).  A union without members is
``any``.  Since equal types are one object, comparing two is comparing identities, and what
is computed for a type or a pair of types is remembered; types that grow from variable to
variable can share structure until writing them out would take forever, so nothing here
walks a type more than once.

Types that nest deeper than ``MAX_DEPTH`` become ``any``: a type says at most that much.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal
from functools import cmp_to_key
from typing import Any, ClassVar, Final, TypeAlias

MAX_DEPTH: Final = 100
UNKNOWN_WIDTH: Final = 3
_UNSET: Final[Any] = object()


def _width(part: Type | None) -> int:
    return UNKNOWN_WIDTH if part is None else part.width


def _widths(parts: Iterable[Type | None]) -> list[int]:
    return [UNKNOWN_WIDTH if p is None else p.width for p in parts]


def _brackets(widths: list[int]) -> int:
    return sum(widths) + 2 * len(widths) if widths else 0


def _depth(parts: Iterable[Type | None]) -> int:
    return 1 + max((p.depth for p in parts if p is not None), default=0)


def _unknown(parts: Iterable[Type | None]) -> bool:
    return any(p is None or p.unknown for p in parts)


class Type:
    """Any type.

    ``width`` is how many characters the type takes when it is written out, ``depth`` how
    deep it nests, and ``unknown`` whether something in it is not known.
    """

    __slots__ = ("depth", "keys", "unknown", "values", "width")
    rank: ClassVar[int]

    def __init__(self, width: int, depth: int = 0, unknown: bool = False) -> None:
        self.width = width
        self.depth = depth
        self.unknown = unknown
        self.keys: Any = _UNSET
        self.values: Any = _UNSET


class Simple(Type):
    """Null, booleans, numbers, strings."""

    __slots__ = ("name", "rank")

    def __init__(self, name: str, rank: int) -> None:
        super().__init__(len(name))
        self.name = name
        self.rank = rank  # type: ignore[misc]


class Array(Type):
    """Known items, and the type of all others (None: there are none)."""

    __slots__ = ("dynamic", "static")
    rank = 4

    def __init__(self, static: tuple[Type | None, ...], dynamic: Type | None) -> None:
        parts = [*static, dynamic] if dynamic is not None else static
        width = 5 + _brackets(_widths(static)) + (dynamic.width + 2 if dynamic is not None else 0)
        super().__init__(width, _depth(parts), _unknown(parts))
        self.static = static
        self.dynamic = dynamic


class Object(Type):
    """Known keys with the types of their values, and the types of other keys and values."""

    __slots__ = ("dynamic", "index", "static")
    rank = 5

    def __init__(self, static: Static, dynamic: Dynamic | None) -> None:
        values = [v for _, v in static]
        width = 6 + _brackets([len(key_text(k)) + 2 + _width(v) for k, v in static])
        if dynamic is not None:
            width += _width(dynamic[0]) + _width(dynamic[1]) + 4
            values.extend(dynamic)
        super().__init__(width, _depth(values), _unknown(values))
        self.static = static
        self.dynamic = dynamic
        self.index = dict(static)


class Set(Type):
    """A set of elements of one type; None: the empty set."""

    __slots__ = ("of",)
    rank = 6

    def __init__(self, of: Type | None) -> None:
        width = 3 if of is None else of.width + 5
        super().__init__(width, _depth((of,)), of is None or of.unknown)
        self.of = of


class Union(Type):
    """One of several types, in their order; without members: any value at all."""

    __slots__ = ("members", "of")
    rank = 7

    def __init__(self, of: tuple[Type, ...]) -> None:
        super().__init__(3 + _brackets([t.width for t in of]), _depth(of))
        self.of = of
        self.members = frozenset(of)


class Function(Type):
    """A function.  ``names`` are those of a builtin's arguments and result, for messages."""

    __slots__ = ("args", "names", "result", "variadic")
    rank = 8

    def __init__(
        self,
        args: tuple[Type | None, ...],
        result: Type | None,
        variadic: Type | None = None,
        names: tuple[str, ...] = (),
    ) -> None:
        parts = [*args, result]
        width = 2 + 4 + _width(result) + max(0, _brackets(_widths(args)) - 2)
        super().__init__(width, _depth(parts), _unknown(parts))
        self.args = args
        self.result = result
        self.variadic = variadic
        self.names = names


class Recursive(Type):
    """A JSON schema that leads back to itself; ``target`` is what it stands for."""

    __slots__ = ("name", "target")
    rank = 9

    def __init__(self, name: str) -> None:
        super().__init__(len(name) + 11)
        self.name = name
        self.target: Type | None = None


class Key:
    """A constant that is no string, as the key of an object type or an operand."""

    __slots__ = ("order", "text", "type")

    def __init__(self, order: tuple[Any, ...], text: str, type_: Type) -> None:
        self.order = order
        self.text = text
        self.type = type_

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.order == other.order

    def __hash__(self) -> int:
        return hash(self.order)


PropertyKey: TypeAlias = str | Key
Static: TypeAlias = tuple[tuple[PropertyKey, Type | None], ...]
Dynamic: TypeAlias = tuple[Type | None, Type | None]

NULL: Final = Simple("null", 0)
BOOLEAN: Final = Simple("boolean", 1)
NUMBER: Final = Simple("number", 2)
STRING: Final = Simple("string", 3)
ANY: Final = Union(())

SCALARS: Final[dict[type, Type]] = {
    type(None): NULL,
    bool: BOOLEAN,
    int: NUMBER,
    float: NUMBER,
    Decimal: NUMBER,
    str: STRING,
}
"""Types by the classes of scalars; whatever else there is, is a number."""


def key_text(key: PropertyKey) -> str:
    """A key as it stands in a type."""
    return key if isinstance(key, str) else key.text


def key_order(key: PropertyKey) -> tuple[Any, ...]:
    """Where a key sorts among the others."""
    return (3, key) if isinstance(key, str) else key.order


def key_type(key: PropertyKey) -> Type:
    """The type of a key."""
    return STRING if isinstance(key, str) else key.type


def compare(a: Type | None, b: Type | None) -> int:
    """-1, 0 or 1: the order in which the members of a union stand."""
    a, b = unwrapped(a), unwrapped(b)
    if a is b:
        return 0
    left, right = -1 if a is None else a.rank, -1 if b is None else b.rank
    if left != right:
        return 1 if left > right else -1
    if isinstance(a, Array) and isinstance(b, Array):
        return _compare_tails(a.dynamic, b.dynamic) or _compare_all(a.static, b.static)
    if isinstance(a, Object) and isinstance(b, Object):
        return _compare_objects(a, b)
    if isinstance(a, Set) and isinstance(b, Set):
        return compare(a.of, b.of)
    if isinstance(a, Union) and isinstance(b, Union):
        return _compare_all(a.of, b.of)
    if isinstance(a, Function) and isinstance(b, Function):
        if len(a.args) != len(b.args):
            return -1 if len(a.args) < len(b.args) else 1
        return _compare_all((*a.args, a.result, a.variadic), (*b.args, b.result, b.variadic))
    return 0


def _compare_all(a: tuple[Type | None, ...], b: tuple[Type | None, ...]) -> int:
    for x, y in zip(a, b, strict=False):
        if x is not y and (order := compare(x, y)):
            return order
    return (len(a) > len(b)) - (len(a) < len(b))


def _compare_tails(a: Type | None, b: Type | None) -> int:
    if a is None or b is None:
        return (a is not None) - (b is not None)
    return compare(a, b)


def _compare_objects(a: Object, b: Object) -> int:
    if a.dynamic is None or b.dynamic is None:
        if a.dynamic is not b.dynamic:
            return 1 if b.dynamic is None else -1
    elif order := _compare_all(a.dynamic, b.dynamic):
        return order
    for (k, v), (other, w) in zip(a.static, b.static, strict=False):
        if k != other:
            return 1 if key_order(k) > key_order(other) else -1
        if v is not w and (order := compare(v, w)):
            return order
    return (len(a.static) > len(b.static)) - (len(a.static) < len(b.static))


_in_order = cmp_to_key(compare)


def unwrapped(t: Type | None) -> Type | None:
    """What a recursive type stands for; any other type itself."""
    while isinstance(t, Recursive):
        t = t.target
    return t


class Table:
    """Makes types, and keeps each distinct one once.  One table serves a compilation and the
    queries over it; types of different tables must not meet."""

    def __init__(self) -> None:
        self._types: dict[Any, Type] = {}

    # -- making ----------------------------------------------------------------------------

    def array(self, static: tuple[Type | None, ...], dynamic: Type | None = None) -> Type:
        """``array<a, b>[dynamic]``."""
        key = (Array, static, dynamic)
        found = self._types.get(key)
        return self._keep(key, Array(static, dynamic)) if found is None else found

    def object(
        self, static: dict[PropertyKey, Type | None], dynamic: Dynamic | None = None
    ) -> Type:
        """``object<a: x>[key: value]``."""
        pairs = tuple(static.items())
        if len(pairs) > 1:
            pairs = tuple(sorted(pairs, key=lambda pair: key_order(pair[0])))
        key = (Object, pairs, dynamic)
        found = self._types.get(key)
        return self._keep(key, Object(pairs, dynamic)) if found is None else found

    def set(self, of: Type | None) -> Type:
        """``set[of]``."""
        key = (Set, of)
        found = self._types.get(key)
        return self._keep(key, Set(of)) if found is None else found

    def function(
        self,
        args: tuple[Type | None, ...],
        result: Type | None,
        variadic: Type | None = None,
        names: tuple[str, ...] = (),
    ) -> Type:
        """``(a, b) => result``."""
        key = (Function, args, result, variadic, names)
        found = self._types.get(key)
        if found is not None:
            return found
        made = Function(args, result, variadic, names)
        return self._types.setdefault(key, made)

    def union(self, of: Iterable[Type]) -> Type:
        """One of the given types, which are no unions themselves; None of them: any."""
        members = tuple(sorted(set(of), key=_in_order))
        if not members:
            return ANY
        key = (Union, members)
        found = self._types.get(key)
        return self._keep(key, Union(members)) if found is None else found

    def _keep(self, key: Any, made: Type) -> Type:
        # Queries may be prepared in several threads: the first to come is the one type.
        return self._types.setdefault(key, ANY if made.depth > MAX_DEPTH else made)

    # -- combining -------------------------------------------------------------------------

    def either(self, a: Type | None, b: Type | None) -> Type | None:
        """The union of two types.  A function and a value have none: None."""
        if a is b or b is None:
            return a
        if a is None:
            return b
        if isinstance(a, Function) or isinstance(b, Function):
            both = isinstance(a, Function) and isinstance(b, Function)
            return self._either_function(a, b) if both else None  # type: ignore[arg-type]
        if isinstance(a, Union):
            return self._with_member(a, b)
        if isinstance(b, Union):
            return self._with_member(b, a)
        if compare(a, b) == 0:
            return a
        return self.union((a, b))

    def _with_member(self, a: Union, b: Type) -> Type:
        if not a.of:
            return a
        if isinstance(b, Union):
            if not b.of or b.members >= a.members:
                return b
            return a if a.members >= b.members else self.union(a.members | b.members)
        if b in a.members:
            return a
        at = bisect_left(a.of, _in_order(b), key=_in_order)
        if at < len(a.of) and compare(a.of[at], b) == 0:
            return a
        members = (*a.of[:at], b, *a.of[at:])
        key = (Union, members)
        found = self._types.get(key)
        return self._keep(key, Union(members)) if found is None else found

    def _either_function(self, a: Function, b: Function) -> Type | None:
        if len(a.args) != len(b.args) or (a.variadic is None) != (b.variadic is None):
            return None
        args = tuple(self.either(x, y) for x, y in zip(a.args, b.args, strict=True))
        variadic = self.either(a.variadic, b.variadic)
        return self.function(args, self.either(a.result, b.result), variadic)

    def any_of(self, types: Iterable[Type | None]) -> Type | None:
        """The union of many types; None when nothing is known of any."""
        found = dict.fromkeys(t for t in types if t is not None)
        if len(found) > 2 and not any(isinstance(t, Function | Union | Recursive) for t in found):
            return self.union(found)
        out: Type | None = None
        for t in found:
            out = self.either(out, t)
        return out

    # -- looking inside --------------------------------------------------------------------

    def keys_of(self, t: Type | None) -> Type | None:
        """The type of what a collection can be indexed with; None: it is no collection."""
        if t is None:
            return None
        if t.keys is _UNSET:
            t.keys = self._keys(t)
        return t.keys  # type: ignore[no-any-return]

    def _keys(self, t: Type) -> Type | None:
        match t:
            case Array():
                return NUMBER
            case Object(static=static, dynamic=dynamic):
                known = self.any_of(dict.fromkeys(key_type(k) for k, _ in static))
                return known if dynamic is None else self.either(known, dynamic[0])
            case Set(of=of):
                return of
            case Union(of=of):
                return self.any_of([self.keys_of(m) for m in of]) if of else ANY
            case Recursive(target=target):
                return self.keys_of(target)
        return None

    def values_of(self, t: Type | None) -> Type | None:
        """The type of what a collection holds; None: it is no collection, or empty."""
        if t is None:
            return None
        if t.values is _UNSET:
            t.values = self._values(t)
        return t.values  # type: ignore[no-any-return]

    def _values(self, t: Type) -> Type | None:
        match t:
            case Array(static=static, dynamic=dynamic):
                return self.either(self.any_of(static), dynamic)
            case Object(static=static, dynamic=dynamic):
                known = self._in_sequence(v for _, v in static)
                return known if dynamic is None else self.either(known, dynamic[1])
            case Set(of=of):
                return of
            case Union(of=of):
                return self.any_of([self.values_of(m) for m in of]) if of else ANY
            case Recursive(target=target):
                return self.values_of(target)
        return None

    def _in_sequence(self, types: Iterable[Type | None]) -> Type | None:
        # A package may hold functions beside values; with those the order matters, since a
        # function and a value have no union and what comes next starts afresh.
        found = list(types)
        if not any(isinstance(t, Function) for t in found):
            return self.any_of(found)
        out: Type | None = None
        for t in found:
            out = self.either(out, t)
        return out

    def select(self, t: Type | None, key: PropertyKey) -> Type | None:
        """The type of the part at a constant key; None: there can be none."""
        match t:
            case Array(static=static, dynamic=dynamic):
                return _item(static, dynamic, key)
            case Object(index=index, dynamic=dynamic):
                if key in index:
                    return index[key]
                if dynamic is not None and _covers(dynamic[0], key_type(key)):
                    return dynamic[1]
                return None
            case Set(of=of):
                kind = key_type(key)
                if of is kind:
                    return of
                return kind if isinstance(of, Union) and _covers(of, kind) else None
            case Union(of=of):
                if not of:
                    return ANY
                out: Type | None = None
                for member in of:
                    out = self.either(self.select(member, key), out)
                return out
            case Recursive(target=target):
                return self.select(target, key)
        return None


def _item(static: tuple[Type | None, ...], dynamic: Type | None, key: PropertyKey) -> Type | None:
    if isinstance(key, str) or not key.text.removeprefix("-").isdigit():
        return None
    if key.type is not NUMBER or key.text.startswith("-"):
        return None
    position = int(key.text) if len(key.text) < 12 else len(static)
    return static[position] if position < len(static) else dynamic


def _covers(a: Type | None, b: Type) -> bool:
    if isinstance(a, Union):
        return not a.of or b in a.members
    return a is b
