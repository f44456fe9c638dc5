"""Rego values as Python objects.

========== =======================================================================
null       ``None``
boolean    ``bool``
number     ``int``, ``float``, and ``Decimal`` for what a float cannot hold exactly
           as written (``1e400``, twenty digits); :class:`LiteralFloat` keeps a spelling
string     ``str``
array      ``list``, as the JSON parser made it; never mutated once it is a value
object     ``dict``; keys are *boxed*: strings and numbers as they are, all else in
           a :class:`Box`
set        :class:`RegoSet`, a frozen set of boxed elements
undefined  :data:`UNDEFINED`, a marker that never is a value
========== =======================================================================

Python takes ``True`` for ``1``; Rego does not.  So booleans are boxed wherever
they are hashed, and :func:`equal` is used wherever the type of both sides is not
known.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, ItemsView, Iterable, Iterator
from decimal import Decimal
from functools import cmp_to_key
from typing import Any, Final, TypeAlias

Value: TypeAlias = Any


class _Undefined:
    """The absence of a value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __bool__(self) -> bool:
        return False

    def __getitem__(self, key: object) -> Any:
        raise KeyError(key)


UNDEFINED: Final = _Undefined()


class LiteralFloat(float):
    """A float that remembers how it was written (``1e3``, ``1.50``)."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> LiteralFloat:
        self = super().__new__(cls, text)
        self.text = text
        return self


class Box:
    """A hashable stand-in for a value that Python cannot hash, or hashes wrongly.

    ``value`` is the value itself; equality and hash follow Rego's equality.
    """

    __slots__ = ("_hash", "form", "value")

    def __init__(self, value: Value, form: Hashable) -> None:
        self.value = value
        self.form = form
        self._hash = hash(form)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Box) or self._hash != other._hash:
            return False
        if self.value is other.value or self.form is other.form:
            return True
        if self.form != other.form:
            return False
        # Equal parts of two values have one form from now on: without this, parts that a
        # value shares are compared over and over.
        other.form = self.form
        return True

    def __repr__(self) -> str:
        return f"Box({self.value!r})"


BOX_TRUE: Final = Box(True, ("b", True))
BOX_FALSE: Final = Box(False, ("b", False))
BOX_NULL: Final = Box(None, ("n",))


def box(value: Value) -> Hashable:
    """The hashable form of a value: for dict keys and set elements.

    Strings and numbers are their own form.  ``unbox`` gives the value back.
    """
    cls = value.__class__
    if cls is str or cls is int or cls is float:
        return value  # type: ignore[no-any-return]
    if value is True:
        return BOX_TRUE
    if value is False:
        return BOX_FALSE
    if value is None:
        return BOX_NULL
    if cls is list or cls is dict:
        return _box_composite(value, {})
    if cls is RegoSet:
        return Box(value, ("s", value.boxed))
    if isinstance(value, (int, float, Decimal, str)):
        return value
    raise TypeError(f"not a Rego value: {cls.__name__}")


def _box_composite(value: Value, made: dict[int, Box]) -> Box:
    """The box of an array or object.  Parts that a value shares are boxed once: a few
    lines of policy make a value whose written form is larger than any memory."""
    found = made.get(id(value))
    if found is None:
        if value.__class__ is list:
            items = [
                _box_composite(v, made) if v.__class__ in _COMPOSITES else box(v) for v in value
            ]
            found = Box(value, ("a", *items))
        else:
            pairs = [
                (k, _box_composite(v, made) if v.__class__ in _COMPOSITES else box(v))
                for k, v in value.items()
            ]
            found = Box(value, ("o", frozenset(pairs)))
        made[id(value)] = found
    return found


_COMPOSITES: Final = frozenset({list, dict})


def unbox(key: Hashable) -> Value:
    """The value behind a dict key or a set element."""
    return key.value if key.__class__ is Box else key


class RegoSet:
    """An immutable Rego set.  ``boxed`` is the frozenset of boxed elements.

    Iterating yields values (unboxed) in Rego's order; ``boxed`` is for when order
    cannot be seen.  Subscripting by a value gives that element or ``KeyError``,
    as a reference ``s[x]`` does.
    """

    __slots__ = ("_sorted", "boxed")

    def __init__(self, values: Iterable[Value] = ()) -> None:
        self.boxed: frozenset[Hashable] = frozenset(map(box, values))
        self._sorted: list[Value] | None = None

    @classmethod
    def of_boxed(cls, boxed: Iterable[Hashable]) -> RegoSet:
        """A set of elements that are boxed already."""
        self = cls.__new__(cls)
        self.boxed = frozenset(boxed)
        self._sorted = None
        return self

    def __len__(self) -> int:
        return len(self.boxed)

    def __contains__(self, value: Value) -> bool:
        return box(value) in self.boxed

    def __iter__(self) -> Iterator[Value]:
        return iter(self.ordered())

    def __getitem__(self, value: Value) -> Value:
        if box(value) in self.boxed:
            return value
        raise KeyError(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RegoSet) and self.boxed == other.boxed

    def __hash__(self) -> int:
        return hash(self.boxed)

    def __repr__(self) -> str:
        return f"RegoSet({self.ordered()!r})"

    def values(self) -> list[Value]:
        """The elements in no particular order (faster than iterating)."""
        return [unbox(e) for e in self.boxed]

    def ordered(self) -> list[Value]:
        """The elements in Rego's order; do not change the list."""
        if self._sorted is None:
            self._sorted = sorted_values(map(unbox, self.boxed))
        return self._sorted


EMPTY_SET: Final = RegoSet()


def make_object(pairs: Iterable[tuple[Value, Value]]) -> dict[Hashable, Value]:
    """An object from key/value pairs of plain values; the last of equal keys wins."""
    return {box(k): v for k, v in pairs}


def is_number(value: Value) -> bool:
    """Whether the value is a Rego number."""
    return isinstance(value, (int, float, Decimal)) and value is not True and value is not False


def type_name(value: Value) -> str:
    """``null boolean number string array object set``, as ``type_name`` says it."""
    cls = value.__class__
    if cls is str:
        return "string"
    if cls is bool:
        return "boolean"
    if value is None:
        return "null"
    if cls is dict:
        return "object"
    if cls is list:
        return "array"
    if cls is RegoSet:
        return "set"
    if isinstance(value, (int, float, Decimal)):
        return "number"
    raise TypeError(f"not a Rego value: {cls.__name__}")


# -- equality and order ------------------------------------------------------------


def equal(a: Value, b: Value) -> bool:
    """Rego equality: ``1 == 1.0``, but ``true`` is not ``1``."""
    if a is b:
        return True
    ca = a.__class__
    cb = b.__class__
    if ca is str or cb is str:
        return bool(a == b)
    if ca is bool or cb is bool or a is None or b is None:
        return False
    if ca is list or ca is dict:
        return cb is ca and len(a) == len(b) and _equal_parts(a, b, set())
    if ca is RegoSet:
        return cb is RegoSet and a.boxed == b.boxed
    return bool(a == b)


def _equal_parts(a: Any, b: Any, known: set[tuple[int, int]]) -> bool:
    """Whether two arrays or two objects of one length have equal parts.

    ``known`` are the pairs of composite parts (by identity) found equal so far: a value that
    shares its parts is compared in the time it takes to build it, not to write it.
    """
    if a.__class__ is list:
        pairs: Iterable[tuple[Value, Value]] = zip(a, b, strict=True)
    else:
        pairs = [(v, b.get(k, UNDEFINED)) for k, v in a.items()]
    for x, y in pairs:
        if x is y:
            continue
        cls = x.__class__
        if cls is not list and cls is not dict:
            if not equal(x, y):
                return False
            continue
        if y.__class__ is not cls or len(x) != len(y):
            return False
        pair = (id(x), id(y))
        if pair not in known:
            if not _equal_parts(x, y, known):
                return False
            known.add(pair)
    return True


_RANK: Final = {
    "null": 0,
    "boolean": 1,
    "number": 2,
    "string": 4,
    "array": 5,
    "object": 6,
    "set": 7,
}


def compare(a: Value, b: Value) -> int:
    """-1, 0 or 1 by Rego's total order:
    null < boolean < number < string < array < object < set."""
    if a is b:
        return 0
    ca, cb = a.__class__, b.__class__
    if ca is cb and (ca is str or ca is int or ca is float):
        return -1 if a < b else (1 if a > b else 0)
    return _compare(a, b, set())


def _compare(a: Value, b: Value, known: set[tuple[int, int]]) -> int:
    """As ``compare``; ``known`` are the pairs of composites found equal so far."""
    if a is b:
        return 0
    ra, rb = _RANK[type_name(a)], _RANK[type_name(b)]
    if ra != rb:
        return -1 if ra < rb else 1
    if ra == 2:
        return _compare_numbers(a, b)
    if ra <= 4:
        return -1 if a < b else (1 if a > b else 0)
    pair = (id(a), id(b))
    if pair in known:
        return 0
    if ra == 6:
        found = _compare_objects(a, b, known)
    elif ra == 5:
        found = _compare_sequences(a, b, known)
    else:
        found = _compare_sequences(a.ordered(), b.ordered(), known)
    if not found:
        known.add(pair)
    return found


def _compare_numbers(a: Any, b: Any) -> int:
    if isinstance(a, Decimal) != isinstance(b, Decimal):
        a = Decimal(repr(float(a))) if isinstance(a, float) else Decimal(a)
        b = Decimal(repr(float(b))) if isinstance(b, float) else Decimal(b)
    return -1 if a < b else (1 if a > b else 0)


def _compare_sequences(a: list[Value], b: list[Value], known: set[tuple[int, int]]) -> int:
    for x, y in zip(a, b, strict=False):
        c = _compare(x, y, known)
        if c:
            return c
    return (len(a) > len(b)) - (len(a) < len(b))


def _compare_objects(
    a: dict[Hashable, Value], b: dict[Hashable, Value], known: set[tuple[int, int]]
) -> int:
    ka, kb = sorted_keys(a), sorted_keys(b)
    for x, y in zip(ka, kb, strict=False):
        c = _compare(x, y, known) or _compare(a[box(x)], b[box(y)], known)
        if c:
            return c
    return (len(ka) > len(kb)) - (len(ka) < len(kb))


order_key: Final[Callable[[Value], Any]] = cmp_to_key(compare)
"""A ``sorted`` key for Rego's order."""


def sorted_values(values: Iterable[Value]) -> list[Value]:
    """The values as a new list in Rego's order."""
    items = list(values)
    if len(items) < 2:
        return items
    kinds = {v.__class__ for v in items}
    if len(kinds) == 1 and kinds <= _ORDERED_AS_THEY_ARE:
        items.sort()
        return items
    keys: list[list[Any]] = []
    try:
        for item in items:
            key: list[Any] = []
            _add_sort_key(item, key, [_ROOM])
            keys.append(key)
    except _NoKeyError:
        items.sort(key=order_key)
        return items
    order = sorted(range(len(items)), key=keys.__getitem__)
    return [items[n] for n in order]


_ORDERED_AS_THEY_ARE: Final = frozenset({str, int, float})
_ROOM: Final = 10_000
"""Parts up to which a value is compared by a key."""


class _NoKeyError(Exception):
    """A value is better compared part by part."""


def _add_sort_key(value: Value, key: list[Any], room: list[int]) -> None:
    """Add a rank and what orders values of that rank, so that Python orders the lists as
    Rego orders the values: made once for each value, where comparing two at a time looks at
    each of them many times.

    ``room`` is what is left of :data:`_ROOM`: shared parts would be written out.
    """
    cls = value.__class__
    if cls is str:
        key += (4, value)
    elif cls is int or cls is float:
        key += (2, value)
    elif cls is list or cls is dict or cls is RegoSet:
        room[0] -= len(value)
        if room[0] < 0:
            raise _NoKeyError
        parts: list[Any] = []
        if cls is dict:
            for name in sorted_keys(value):
                if name.__class__ is str:
                    parts += (4, name)
                    _add_sort_key(value[name], parts, room)
                else:
                    _add_sort_key(name, parts, room)
                    _add_sort_key(value[box(name)], parts, room)
        else:
            for item in value if cls is list else value.ordered():
                _add_sort_key(item, parts, room)
        key += (_RANK[type_name(value)], parts)
    elif isinstance(value, Decimal):
        raise _NoKeyError
    else:
        key += (_RANK[type_name(value)], value)


def sorted_keys(obj: dict[Hashable, Value]) -> list[Value]:
    """The keys of an object (unboxed) in Rego's order."""
    return sorted_values(map(unbox, obj))


def sorted_items(obj: dict[Hashable, Value]) -> list[tuple[Value, Value]]:
    """Key/value pairs of an object (keys unboxed) in Rego's key order."""
    return [(k, obj[box(k)]) for k in sorted_keys(obj)]


def plain_items(obj: dict[Hashable, Value]) -> ItemsView[Any, Value] | list[tuple[Value, Value]]:
    """Key/value pairs (keys unboxed) in no particular order."""
    for k in obj:
        if k.__class__ is Box:
            return [(unbox(key), v) for key, v in obj.items()]
    return obj.items()
