"""Terms in, their types out; and what unifying a term with a type says about its variables."""

from __future__ import annotations

from typing import Any, TypeAlias

from adjudge.rego.passes.types import model
from adjudge.rego.passes.types.env import ROOTS, Documents, Env
from adjudge.rego.passes.types.keys import constant_key
from adjudge.rego.passes.types.model import (
    ANY,
    NUMBER,
    SCALARS,
    STRING,
    Dynamic,
    PropertyKey,
    Table,
    Type,
    Union,
    unwrapped,
)
from adjudge.rego.passes.types.unify import Unifier, has_dynamic
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Object,
    ObjectCompr,
    Ref,
    Scalar,
    Set,
    SetCompr,
    Template,
    Term,
    Var,
)

Comprehension: TypeAlias = ArrayCompr | SetCompr | ObjectCompr
Collection: TypeAlias = Array | Object | Set


class Terms:
    """The types of terms; references and comprehensions have been checked before."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.unifier = Unifier(table)
        self.documents = Documents(table)

    # -- inference -------------------------------------------------------------------------

    def type_of(self, env: Env, term: Term) -> Type | None:
        """The type of a term, None when nothing is known."""
        # Asked for every term: comparing classes takes a third of what matching takes.
        kind: Any = term.__class__
        of: Any = term
        if kind is Scalar:
            return SCALARS.get(of.value.__class__, NUMBER)
        if kind is Var:
            name = of.name
            return self.documents.root_type(env, name, ()) if name in ROOTS else env.lookup(name)
        if kind is Ref:
            if id(term) in env.seen:
                return env.seen[id(term)]
            return self.documents.ref_type(env, of)
        if kind is Array:
            return self.table.array(tuple([self.type_of(env, i) for i in of.items]))
        if kind is Object:
            return self._object_type(env, of)
        if kind is Set:
            return self.table.set(self.table.any_of([self.type_of(env, i) for i in of.items]))
        if kind is ArrayCompr or kind is SetCompr or kind is ObjectCompr:
            return env.seen.get(id(term))
        return STRING if kind is Template else None

    def _object_type(self, env: Env, term: Object) -> Type:
        static: dict[PropertyKey, Type | None] = {}
        dynamic: Dynamic | None = None
        last: tuple[int, int, str] = (-2, 0, "")
        for n, (key, value) in enumerate(term.pairs):
            known = constant_key(self.table, key)
            if known is not None:
                static[known] = self.type_of(env, value)
            elif (order := _key_order(key, n)) > last:
                # One type for all computed keys: that of the last, as OPA sorts them.
                last = order
                dynamic = (self.type_of(env, key), self.type_of(env, value))
        return self.table.object(static, dynamic)

    # -- unification -----------------------------------------------------------------------

    def fits(self, env: Env, term: Term, t: Type | None, *, union: bool = False) -> bool:
        """Whether the term can be of type ``t``; variables of unknown type get theirs.

        ``union``: a variable may be of any of several types that are tried in turn.
        """
        if isinstance(term, Var) and term.name not in ROOTS:
            known = env.lookup(term.name)
            if union:
                env.vars[term.name] = self.table.either(known, t)
            elif known is not None:
                return self.unifier.unifies(known, t)
            else:
                env.vars[term.name] = t
            return True
        if isinstance(term, Array | Object | Set):
            return self._collection_fits(env, term, t, union)
        known = self.type_of(env, term)
        if known is None and isinstance(term, Ref | ArrayCompr | SetCompr | ObjectCompr):
            return True
        return self.unifier.unifies(known, t)

    def _collection_fits(self, env: Env, term: Collection, t: Type | None, union: bool) -> bool:
        target = unwrapped(t)
        if isinstance(target, Union):
            if target is ANY:
                for part in _parts(term):
                    self.fits(env, part, ANY, union=True)
                return True
            # Each member is tried: all of them say something about the variables.
            fitting = [self.fits(env, term, m, union=True) for m in target.of]
            return True in fitting
        if isinstance(term, Array):
            return isinstance(target, model.Array) and self._array_fits(env, term, target, union)
        if isinstance(term, Object):
            return isinstance(target, model.Object) and self._object_fits(env, term, target, union)
        of = target.of if isinstance(target, model.Set) else None
        return isinstance(target, model.Set) and all(
            self.fits(env, item, of, union=union) for item in term.items
        )

    def _array_fits(self, env: Env, term: Array, t: model.Array, union: bool) -> bool:
        static, count = t.static, len(t.static)
        if len(term.items) != count and t.dynamic is None:
            return False
        return all(
            self.fits(env, item, static[n] if n < count else t.dynamic, union=union)
            for n, item in enumerate(term.items)
        )

    def _object_fits(self, env: Env, term: Object, t: model.Object, union: bool) -> bool:
        if len(term.pairs) != len(t.static) and not has_dynamic(t):
            return False
        for key, value in term.pairs:
            known = constant_key(self.table, key)
            if known is None:
                self.fits(env, value, ANY, union=union)
                continue
            child = self.table.select(t, known)
            if child is None or not self.fits(env, value, child, union=union):
                return False
        return True

    def unify(self, env: Env, a: Term, left: Type | None, b: Term, right: Type | None) -> bool:
        """Whether ``a = b`` can hold, given the types of both."""
        if left is not None and not left.unknown:
            if right is not None and not right.unknown:
                return self.unifier.unifies(left, right)
            return self._fits_plainly(env, b, left)
        if right is not None and not right.unknown:
            return self._fits_plainly(env, a, right)
        if isinstance(a, Array | Object):
            return self._unify_patterns(env, a, b)
        if _is_variable(a):
            if _is_variable(b):
                return self.fits(env, a, ANY) and self.fits(env, b, self.type_of(env, a))
            if isinstance(b, Array | Object):
                return self._unify_patterns(env, b, a)
        if _is_variable(a) and left is None and right is not None:
            return self.fits(env, a, right)
        if _is_variable(b) and right is None and left is not None:
            return self.fits(env, b, left)
        return False

    def _fits_plainly(self, env: Env, term: Term, t: Type) -> bool:
        if isinstance(term, Ref | ArrayCompr | SetCompr | ObjectCompr):
            return self.unifier.unifies(self.type_of(env, term), t)
        return self.fits(env, term, t)

    def _unify_patterns(self, env: Env, a: Array | Object, b: Term) -> bool:
        if _is_variable(b):
            return self.fits(env, a, ANY) and self.fits(env, b, self.type_of(env, a))
        pairs: list[tuple[Term, Term]] = []
        if isinstance(a, Array) and isinstance(b, Array) and len(a.items) == len(b.items):
            pairs = list(zip(a.items, b.items, strict=True))
        elif isinstance(a, Object) and isinstance(b, Object) and len(a.pairs) == len(b.pairs):
            others = dict(b.pairs)
            if any(key not in others for key, _ in a.pairs):
                return False
            pairs = [(value, others[key]) for key, value in a.pairs]
        else:
            return False
        return all(
            self.unify(env, x, self.type_of(env, x), y, self.type_of(env, y)) for x, y in pairs
        )


def _is_variable(term: Term) -> bool:
    return isinstance(term, Var) and term.name not in ROOTS


def _parts(term: Collection) -> list[Term]:
    if isinstance(term, Object):
        return [part for pair in term.pairs for part in pair]
    return list(term.items)


def _key_order(key: Term, position: int) -> tuple[int, int, str]:
    """Where a computed key sorts among others: variables in the order of their making."""
    if isinstance(key, Var):
        name, _, number = key.name.partition("~")
        if number:
            return (0, int(number.partition("~")[0]), "")
        if name.startswith("$"):
            return (1, int(name.lstrip("$abcdefghijklmnopqrstuvwxyz") or 0), "")
        return (3 if name > "_" else -1, 0, name)
    return (2 if isinstance(key, Ref) else 4, position, "")
