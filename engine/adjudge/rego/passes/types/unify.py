"""Whether a value may be of two types at once."""

from __future__ import annotations

from adjudge.rego.passes.types.model import (
    ANY,
    Array,
    Function,
    Object,
    PropertyKey,
    Set,
    Table,
    Type,
    Union,
    unwrapped,
)


class Unifier:
    """Answers for the types of one table, each pair once."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._known: dict[tuple[Type, Type], bool] = {}

    def unifies(self, a: Type | None, b: Type | None) -> bool:
        """Whether some value is of both types; never where nothing is known of one."""
        if a is None or b is None:
            return False
        if a is b and not a.unknown:
            return True
        pair = (a, b)
        found = self._known.get(pair)
        if found is None:
            # A schema that leads back to itself asks again for what is being answered.
            self._known[pair] = True
            found = self._known[pair] = self._unifies(a, b)
        return found

    def _unifies(self, a: Type, b: Type) -> bool:
        x, y = unwrapped(a), unwrapped(b)
        if isinstance(x, Union) or isinstance(y, Union):
            return (isinstance(x, Union) and self._any(x, y)) or (
                isinstance(y, Union) and self._any(y, x)
            )
        if isinstance(x, Array) and isinstance(y, Array):
            return self._arrays(x, y)
        if isinstance(x, Object) and isinstance(y, Object):
            return self._objects(x, y)
        if isinstance(x, Set) and isinstance(y, Set):
            # The empty set is a member of every type of set.
            return x.of is None or y.of is None or self.unifies(x.of, y.of)
        if isinstance(x, Function) and isinstance(y, Function):
            return len(x.args) == len(y.args) and all(
                self.unifies(p, q) for p, q in zip(x.args, y.args, strict=True)
            )
        return x is y

    def _any(self, union: Union, other: Type | None) -> bool:
        if isinstance(other, Function):
            return False
        return union is ANY or any(self.unifies(member, other) for member in union.of)

    def _arrays(self, a: Array, b: Array) -> bool:
        for n in range(max(len(a.static), len(b.static))):
            x = a.static[n] if n < len(a.static) else a.dynamic
            y = b.static[n] if n < len(b.static) else b.dynamic
            if not self.unifies(x, y):
                return False
        return a.dynamic is None or b.dynamic is None or self.unifies(a.dynamic, b.dynamic)

    def _objects(self, a: Object, b: Object) -> bool:
        if not (self._properties(a, b) and self._properties(b, a)):
            return False
        if a.dynamic is None or b.dynamic is None:
            return True
        x, y = a.dynamic[1], b.dynamic[1]
        return x is None or y is None or self.unifies(x, y)

    def _properties(self, a: Object, b: Object) -> bool:
        dynamic = has_dynamic(a) or has_dynamic(b)
        for key, value in a.static:
            other = self._selected(b, key)
            if other is None:
                if not dynamic:
                    return False
            elif not self.unifies(value, other):
                return False
        return True

    def _selected(self, t: Object, key: PropertyKey) -> Type | None:
        return t.index[key] if key in t.index else self.table.select(t, key)


def has_dynamic(t: Object) -> bool:
    """Whether an object may have other keys than the known ones, with values of a known type."""
    return t.dynamic is not None and t.dynamic[1] is not None
