"""Constant terms in, the keys of object types out."""

from __future__ import annotations

from typing import Any, Final

from adjudge.rego.passes.types.model import (
    BOOLEAN,
    NULL,
    NUMBER,
    Key,
    PropertyKey,
    Table,
    Type,
    key_order,
    key_text,
    key_type,
)
from adjudge.rego.runtime.text import go_quote, rego_text
from adjudge.rego.syntax import Array, Number, Object, Scalar, Set, Term

_NULL: Final = Key((0,), "<nil>", NULL)
_TRUE: Final = Key((1, True), "true", BOOLEAN)
_FALSE: Final = Key((1, False), "false", BOOLEAN)


def scalar_key(value: None | bool | Number | str) -> PropertyKey:
    """The key that a scalar is."""
    if isinstance(value, str):
        return value
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    return Key((2, value), rego_text(value), NUMBER)


def constant_key(table: Table, term: Term) -> PropertyKey | None:
    """The key that a term is; None when it is not constant."""
    if isinstance(term, Scalar):
        return scalar_key(term.value)
    if isinstance(term, Object):
        pairs = [(constant_key(table, k), constant_key(table, v)) for k, v in term.pairs]
        return None if any(None in pair for pair in pairs) else _mapping(table, pairs)
    if isinstance(term, Array | Set):
        items = [constant_key(table, i) for i in term.items]
        if any(i is None for i in items):
            return None
        keys = [i for i in items if i is not None]
        if isinstance(term, Set):
            keys = sorted(dict.fromkeys(keys), key=key_order)
        text = " ".join(map(key_text, keys))
        types: tuple[Type, ...] = tuple(map(key_type, keys))
        return Key((4, tuple(map(key_order, keys))), f"[{text}]", table.array(types))
    return None


def _mapping(table: Table, pairs: list[Any]) -> PropertyKey:
    # Such a key is a map with strings for keys.
    names = {k if isinstance(k, str) else key_term(k): v for k, v in pairs}
    known = dict(sorted(names.items()))
    text = " ".join(f"{k}:{key_text(v)}" for k, v in known.items())
    order = tuple((key_order(k), key_order(v)) for k, v in known.items())
    made = table.object({k: key_type(v) for k, v in known.items()})
    return Key((5, order), f"map[{text}]", made)


def key_term(key: PropertyKey) -> str:
    """A key as a term."""
    return go_quote(key) if isinstance(key, str) else _term_text(key.order)


def _term_text(order: tuple[Any, ...]) -> str:
    kind, *rest = order
    value = rest[0] if rest else None
    if kind == 4 and isinstance(value, tuple):
        return f"[{', '.join(map(_term_text, value))}]"
    if kind == 5 and isinstance(value, tuple):
        return f"{{{', '.join(f'{_term_text(k)}: {_term_text(v)}' for k, v in value)}}}"
    return rego_text(value)
