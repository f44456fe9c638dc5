"""Types in, the text that messages show for them out.

Lines that would be too wide are written again with everything left out that the two types
compared have in common; ``...`` stands for what was left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from adjudge.rego.passes.types.model import (
    Array,
    Function,
    Object,
    PropertyKey,
    Recursive,
    Set,
    Simple,
    Type,
    Union,
    key_order,
    key_text,
)

ELISION: Final = "..."
LINE_WIDTH: Final = 80
SHORT_WIDTH: Final = 32
DIFF_DEPTH: Final = 8
MAX_WIDTH: Final = 20_000
"""Types that take more characters than this are never written out."""


class Named(NamedTuple):
    """The type of an argument with the name that its builtin gives it (or an empty one)."""

    name: str
    type: Type | None

    def titled(self, text: str) -> str:
        """The text with the name before it."""
        return f"{self.name}: {text}" if self.name else text


def show(t: Type | None) -> str:
    """The whole type, unless that takes more than ``MAX_WIDTH`` characters."""
    if t is not None and t.width > MAX_WIDTH:
        return elided(t, 0)
    return elided(t, -1)


def elided(t: Type | None, depth: int) -> str:
    """The type with what nests deeper than ``depth`` left out; negative: all of it."""
    below = depth - 1
    match t:
        case None:
            return "???"
        case Simple(name=name):
            return name
        case Set(of=of):
            return "set" if of is None else f"set[{_inner(of, depth)}]"
        case Array(static=static, dynamic=dynamic):
            parts = [ELISION] if depth == 0 and static else [elided(s, below) for s in static]
            return _composite("array", parts, "" if dynamic is None else _inner(dynamic, depth))
        case Object(static=static, dynamic=dynamic):
            pairs = [(k, v) for k, v in static] if depth else []
            parts = (
                [ELISION]
                if depth == 0 and static
                else [_pair(k, elided(v, below)) for k, v in pairs]
            )
            rest = ""
            if dynamic is not None:
                rest = ELISION if depth == 0 else ": ".join(elided(d, below) for d in dynamic)
            return _composite("object", parts, rest)
        case Union(of=of):
            if depth == 0 and of:
                return _union([ELISION])
            return _union([elided(m, below) for m in of])
        case Recursive(name=name):
            return f"recursive({name})"
        case Function():
            return _elided_function(t, depth)
    raise AssertionError(t)


def _inner(t: Type, depth: int) -> str:
    return ELISION if depth == 0 else elided(t, depth - 1)


def _elided_function(t: Function, depth: int) -> str:
    if depth == 0:
        result = "???" if t.result is None else ELISION
        return _function([ELISION] if t.args or t.variadic is not None else [], result)
    args = [elided(a, depth - 1) for a in t.args]
    if t.variadic is not None:
        args.append(elided(t.variadic, depth - 1) + ELISION)
    return _function(args, elided(t.result, depth - 1))


def short(t: Type | None) -> str:
    """The type if it is short, otherwise its outermost kind."""
    return elided(t, -1) if t is None or t.width <= SHORT_WIDTH else elided(t, 0)


def short_named(named: Named) -> str:
    """The same with the name; it counts when it is asked whether the type is short."""
    width = 3 if named.type is None else named.type.width
    if named.name:
        width += len(named.name) + 2
    return named.titled(elided(named.type, -1 if width <= SHORT_WIDTH else 0))


def _pair(key: PropertyKey, value: str) -> str:
    return f"{key_text(key)}: {value}"


def _composite(kind: str, static: Sequence[str], dynamic: str) -> str:
    out = kind + (f"<{', '.join(static)}>" if static else "")
    return f"{out}[{dynamic}]" if dynamic else out


def _union(members: Sequence[str]) -> str:
    return f"any<{', '.join(members)}>" if members else "any"


def _function(args: Sequence[str], result: str) -> str:
    return f"({', '.join(args)}) => {result}"


# -- two types side by side ----------------------------------------------------------------


def _same(a: Type | None, b: Type | None) -> bool:
    """Whether the two are written alike."""
    if a is b:
        return True
    if a is None or b is None or a.width != b.width or a.width > MAX_WIDTH:
        return False
    return show(a) == show(b)


def differences(a: Type | None, b: Type | None, depth: int = 0) -> tuple[str, str]:
    """Both types with what they have in common left out."""
    if depth < DIFF_DEPTH and a is not None and b is not None and not _same(a, b):
        if isinstance(a, Set) and isinstance(b, Set) and a.of is not None and b.of is not None:
            left, right = differences(a.of, b.of, depth + 1)
            return f"set[{left}]", f"set[{right}]"
        if isinstance(a, Array) and isinstance(b, Array):
            return _array_differences(a, b, depth)
        if isinstance(a, Object) and isinstance(b, Object):
            return _object_differences(a, b, depth)
        if isinstance(a, Union) and isinstance(b, Union):
            return _union_differences(a, b), _union_differences(b, a)
        if isinstance(a, Function) and isinstance(b, Function) and len(a.args) == len(b.args):
            return _function_differences(a, b, depth)
    return short(a), short(b)


def _array_differences(a: Array, b: Array, depth: int) -> tuple[str, str]:
    if len(a.static) != len(b.static) or (a.dynamic is None) != (b.dynamic is None):
        return elided(a, 1), elided(b, 1)
    pairs = [differences(x, y, depth + 1) for x, y in zip(a.static, b.static, strict=True)]
    rest = ("", "")
    if a.dynamic is not None:
        rest = differences(a.dynamic, b.dynamic, depth + 1)
    left = _composite("array", [p[0] for p in pairs], rest[0])
    return left, _composite("array", [p[1] for p in pairs], rest[1])


def _object_differences(a: Object, b: Object, depth: int) -> tuple[str, str]:
    left: list[str] = []
    right: list[str] = []
    common = False
    for key in sorted({**a.index, **b.index}, key=key_order):
        if key not in b.index:
            left.append(_pair(key, short(a.index[key])))
        elif key not in a.index:
            right.append(_pair(key, short(b.index[key])))
        elif _same(a.index[key], b.index[key]):
            common = True
        else:
            x, y = differences(a.index[key], b.index[key], depth + 1)
            left.append(_pair(key, x))
            right.append(_pair(key, y))
    if common:
        left.append(ELISION)
        right.append(ELISION)
    rest = _dynamic_differences(a, b, depth)
    return _composite("object", left, rest[0]), _composite("object", right, rest[1])


def _dynamic_differences(a: Object, b: Object, depth: int) -> tuple[str, str]:
    if a.dynamic is not None and b.dynamic is not None:
        pairs = [differences(x, y, depth + 1) for x, y in zip(a.dynamic, b.dynamic, strict=True)]
        return ": ".join(p[0] for p in pairs), ": ".join(p[1] for p in pairs)
    one, other = (": ".join(map(short, t.dynamic)) if t.dynamic else "" for t in (a, b))
    return one, other


def _union_differences(a: Union, b: Union) -> str:
    """The members of ``a`` that ``b`` has not."""

    def common(member: Type) -> bool:
        return member in b.members or any(_same(member, other) for other in b.of[:SHORT_WIDTH])

    own = [short(m) for m in a.of if not common(m)]
    return _union(own if len(own) == len(a.of) else [*own, ELISION])


def _function_differences(a: Function, b: Function, depth: int) -> tuple[str, str]:
    pairs = [differences(x, y, depth + 1) for x, y in zip(a.args, b.args, strict=True)]
    left, right = [p[0] for p in pairs], [p[1] for p in pairs]
    if a.variadic is not None:
        left.append(short(a.variadic) + ELISION)
    if b.variadic is not None:
        right.append(short(b.variadic) + ELISION)
    results = differences(a.result, b.result, depth + 1)
    return _function(left, results[0]), _function(right, results[1])


def too_wide(*lines: str) -> bool:
    """Whether one of the lines is too wide to be shown as it is."""
    return any(len(line) > LINE_WIDTH for line in lines)
