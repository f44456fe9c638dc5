"""Arguments in, an answer out: some builtins of Rego, each as its documentation reads.

``None`` is an undefined answer (what a failing call means when errors are not strict).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fractions import Fraction

from tests.reference.values import (
    Value,
    arithmetic,
    array,
    boolean,
    compare,
    from_json,
    in_order,
    json_text,
    number,
    object_,
    rounded,
    set_,
    shortest,
    shown,
    string,
)

Builtin = Callable[..., Value | None]
BUILTINS: dict[str, Builtin] = {}
ARITY: dict[str, int] = {}


def define(name: str, *kinds: str) -> Callable[[Builtin], Builtin]:
    """Declare a builtin; ``kinds`` are the kinds of its arguments (``any``, or ``a|b``)."""

    def decorate(function: Builtin) -> Builtin:
        def checked(*args: Value) -> Value | None:
            for arg, kind in zip(args, kinds, strict=True):
                if kind != "any" and arg.kind not in kind.split("|"):
                    return None
            return function(*args)

        BUILTINS[name] = checked
        ARITY[name] = len(kinds)
        return function

    return decorate


COMPARISONS: dict[str, Callable[[int], bool]] = {
    "equal": lambda c: c == 0,
    "neq": lambda c: c != 0,
    "lt": lambda c: c < 0,
    "lte": lambda c: c <= 0,
    "gt": lambda c: c > 0,
    "gte": lambda c: c >= 0,
}
for _name, _holds in COMPARISONS.items():
    define(_name, "any", "any")(lambda a, b, holds=_holds: boolean(holds(compare(a, b))))


def _operator(name: str) -> Builtin:
    def compute(a: Value, b: Value) -> Value | None:
        if name == "minus" and a.kind == b.kind == "set":
            return set_(a.content - b.content)
        if a.kind != "number" or b.kind != "number":
            return None
        result = arithmetic(name, a.content, b.content)
        return None if result is None else number(result)

    return compute


for _name in ("plus", "minus", "mul", "div", "rem"):
    define(_name, "any", "any")(_operator(_name))
define("and", "set", "set")(lambda a, b: set_(a.content & b.content))
define("or", "set", "set")(lambda a, b: set_(a.content | b.content))


def elements(v: Value) -> list[Value]:
    """The elements of an array or a set, the values of an object; of others none."""
    if v.kind == "array":
        return list(v.content)
    if v.kind == "set":
        return in_order(v.content)
    return [x for _, x in pairs(v)] if v.kind == "object" else []


def pairs(v: Value) -> list[tuple[Value, Value]]:
    """Keys and values of a collection; an element of a set is its own key."""
    if v.kind == "object":
        return in_order(v.content, by=lambda pair: pair[0])
    if v.kind == "set":
        return [(x, x) for x in in_order(v.content)]
    return [(number(n), x) for n, x in enumerate(v.content)] if v.kind == "array" else []


define("internal.member_2", "any", "any")(lambda x, xs: boolean(x in elements(xs)))
define("internal.member_3", "any", "any", "any")(lambda k, x, xs: boolean((k, x) in pairs(xs)))
define("count", "string|array|object|set")(lambda v: number(len(v.content)))
define("sort", "array|set")(lambda v: array(in_order(v.content)))
define("type_name", "any")(lambda v: string(v.kind))
for _kind in ("null", "boolean", "number", "string", "array", "object", "set"):
    # A failing test of a kind is false, not undefined.
    define(f"is_{_kind}", "any")(lambda v, kind=_kind: boolean(v.kind == kind))


def _fold(operator: str, start: int, bits: int) -> Builtin:
    """Integers are exact; with anything else, each step has so many binary digits."""

    def compute(v: Value) -> Value | None:
        if any(item.kind != "number" for item in elements(v)):
            return None
        numbers = [item.content for item in elements(v)]
        whole = all(n.denominator == 1 for n in numbers)
        total = Fraction(start)
        for n in numbers:
            step = n if whole else rounded(n)
            total = total + step if operator == "plus" else total * step
            total = total if whole else rounded(total, bits)
        return number(total if whole else shortest(total, bits))

    return compute


define("sum", "array|set")(_fold("plus", 0, 64))
define("product", "array|set")(_fold("mul", 1, 53))
define("max", "array|set")(lambda v: in_order(v.content)[-1] if v.content else None)
define("min", "array|set")(lambda v: in_order(v.content)[0] if v.content else None)
define("abs", "number")(lambda n: number(shortest(rounded(abs(n.content)))))


@define("numbers.range", "number", "number")
def _range(a: Value, b: Value) -> Value | None:
    if a.content.denominator != 1 or b.content.denominator != 1:
        return None
    low, high = int(a.content), int(b.content)
    step = 1 if low <= high else -1
    return array(number(n) for n in range(low, high + step, step))


# -- strings -----------------------------------------------------------------------------

define("lower", "string")(lambda s: string(s.content.lower()))
define("upper", "string")(lambda s: string(s.content.upper()))
define("startswith", "string", "string")(lambda s, t: boolean(s.content.startswith(t.content)))
define("endswith", "string", "string")(lambda s, t: boolean(s.content.endswith(t.content)))
define("contains", "string", "string")(lambda s, t: boolean(t.content in s.content))
define("strings.reverse", "string")(lambda s: string(s.content[::-1]))
define("trim_prefix", "string", "string")(lambda s, t: string(s.content.removeprefix(t.content)))
define("trim_suffix", "string", "string")(lambda s, t: string(s.content.removesuffix(t.content)))
define("replace", "string", "string", "string")(
    lambda s, old, new: string(s.content.replace(old.content, new.content))
)


@define("concat", "string", "array|set")
def _concat(glue: Value, parts: Value) -> Value | None:
    items = elements(parts)
    if any(item.kind != "string" for item in items):
        return None
    return string(glue.content.join(item.content for item in items))


@define("split", "string", "string")
def _split(s: Value, by: Value) -> Value | None:
    parts = s.content.split(by.content) if by.content else list(s.content)
    return array(map(string, parts))


@define("indexof", "string", "string")
def _indexof(s: Value, t: Value) -> Value | None:
    return number(s.content.find(t.content)) if t.content else None


@define("substring", "string", "number", "number")
def _substring(s: Value, start: Value, length: Value) -> Value | None:
    if start.content < 0 or start.content.denominator != 1 or length.content.denominator != 1:
        return None
    rest = s.content[int(start.content) :]
    return string(rest if length.content < 0 else rest[: int(length.content)])


@define("sprintf", "string", "array")
def _sprintf(template: Value, args: Value) -> Value | None:
    """Only ``%v``, ``%s`` of strings and ``%d`` of integers, each with its argument."""
    left = list(args.content)
    out = ""
    for n, piece in enumerate(template.content.split("%")):
        if n == 0:
            out += piece
            continue
        arg = left.pop(0)
        if piece[0] == "d" and (arg.kind != "number" or arg.content.denominator != 1):
            raise NotImplementedError("%d of what is no integer")
        out += shown(arg) + piece[1:]
    if left:
        raise NotImplementedError("too many arguments")
    return string(out)


@define("to_number", "null|boolean|number|string")
def _to_number(v: Value) -> Value | None:
    if v.kind == "string":
        if not v.content.isdigit() or (v.content[0] == "0" and len(v.content) > 1):
            raise NotImplementedError("numbers of texts")
        return number(int(v.content))
    return number(v.content or 0)


@define("format_int", "number", "number")
def _format_int(n: Value, base: Value) -> Value | None:
    if base.content not in (2, 8, 10, 16):
        return None
    whole = math.floor(n.content) if n.content >= 0 else -math.floor(-n.content)
    digits = format(abs(whole), {2: "b", 8: "o", 10: "d", 16: "x"}[int(base.content)])
    return string(("-" if whole < 0 else "") + digits)


# -- collections -------------------------------------------------------------------------

define("array.concat", "array", "array")(lambda a, b: array(a.content + b.content))
define("array.reverse", "array")(lambda a: array(a.content[::-1]))
define("object.keys", "object")(lambda o: set_(k for k, _ in o.content))


@define("array.slice", "array", "number", "number")
def _slice(a: Value, start: Value, stop: Value) -> Value | None:
    if start.content.denominator != 1 or stop.content.denominator != 1:
        return None
    low = max(int(start.content), 0)
    return array(a.content[low : max(int(stop.content), low)])


@define("union", "set")
def _union_of_sets(s: Value) -> Value | None:
    if any(each.kind != "set" for each in s.content):
        return None
    return set_(x for each in s.content for x in each.content)


@define("intersection", "set")
def _intersection(s: Value) -> Value | None:
    if any(each.kind != "set" for each in s.content):
        return None
    sets = [each.content for each in s.content]
    return set_(frozenset.intersection(*sets)) if sets else set_(())


@define("object.get", "object", "any", "any")
def _get(o: Value, key: Value, default: Value) -> Value | None:
    """A key that is an array is a path."""
    if key.kind != "array":
        return next((v for k, v in o.content if k == key), default)
    at = o
    for step in key.content:
        found = dict(pairs(at)).get(step)
        if found is None:
            return default
        at = found
    return at


@define("object.union", "object", "object")
def _union(a: Value, b: Value) -> Value | None:
    merged = dict(a.content)
    for key, value in b.content:
        old = merged.get(key)
        both = old is not None and old.kind == value.kind == "object"
        merged[key] = (_union(old, value) or value) if both and old is not None else value
    return object_(merged.items())


@define("object.remove", "object", "array|set|object")
def _remove(o: Value, keys: Value) -> Value | None:
    gone = [k for k, _ in pairs(keys)] if keys.kind == "object" else elements(keys)
    return object_((k, v) for k, v in o.content if k not in gone)


@define("object.filter", "object", "array|set|object")
def _filter(o: Value, keys: Value) -> Value | None:
    kept = [k for k, _ in pairs(keys)] if keys.kind == "object" else elements(keys)
    return object_((k, v) for k, v in o.content if k in kept)


define("json.marshal", "any")(lambda v: string(json_text(v)))


@define("json.unmarshal", "string")
def _unmarshal(s: Value) -> Value | None:
    try:
        return from_json(json.loads(s.content, parse_float=Fraction))
    except ValueError:
        return None


def walk(v: Value) -> list[Value]:
    """All pairs of a path and the value there."""
    found = [array([array(()), v])]
    for key, below in pairs(v):
        for item in walk(below):
            path, value = item.content
            found.append(array([array((key, *path.content)), value]))
    return found
