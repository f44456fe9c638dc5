"""The functions that Go templates may call: values in, a value out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote_plus

from adjudge.rego.builtins.registry import BuiltinContext
from adjudge.rego.builtins.sprintf import FORMATS, Printer
from adjudge.rego.builtins.template_tokens import TemplateError
from adjudge.rego.builtins.template_values import MISSING, JsonNumber, go_print
from adjudge.rego.runtime.text import utf8_bytes, utf8_text

FIXED: Final = {"len": 1, "not": 1, "ne": 2, "lt": 2, "le": 2, "gt": 2, "ge": 2}
"""How many arguments functions take exactly."""

MINIMUM: Final = {"and": 1, "or": 1, "call": 1, "index": 1, "slice": 1, "printf": 1, "eq": 1}
"""How many arguments functions take at least."""

_TYPE_NAMES: Final[dict[type, str]] = {
    str: "string",
    JsonNumber: "json.Number",
    bool: "bool",
    int: "int",
    float: "float64",
    list: "[]interface {}",
    dict: "map[string]interface {}",
}
_HTML: Final = str.maketrans(
    {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
)
_JS: Final = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "=": "\\u003D",
}


def go_type(value: Any) -> str:
    """The value's type as Go names it."""
    return _TYPE_NAMES[type(value)]


def truth(value: Any) -> bool:
    """Whether the value counts as true; a number of the data always does."""
    return value is not MISSING and bool(value)


def call_function(context: BuiltinContext, name: str, args: list[Any], shown: str) -> Any:
    """What the function answers; ``shown`` is how its first argument is written.

    Raises :class:`TemplateError`.  ``and`` and ``or`` are not called: they may not look at
    all their arguments.
    """
    values: list[Any] = [None if arg is MISSING else arg for arg in args]
    if name == "printf":
        return _TemplatePrinter(context).printf(values[0], values[1:])
    if name == "call":
        kind = "call of nil" if values[0] is None else ""
        raise TemplateError(kind or f"non-function {shown} of type {go_type(values[0])}")
    return _FUNCTIONS[name](values)


# -- comparisons ---------------------------------------------------------------------------


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return {int: "int", float: "float"}.get(type(value), "")


def _incompatible(a: Any, b: Any) -> TemplateError:
    return TemplateError(f"incompatible types for comparison: {go_type(a)} and {go_type(b)}")


def _eq(values: list[Any]) -> bool:
    first, others = values[0], values[1:]
    if not others:
        raise TemplateError("missing argument for comparison")
    for other in others:
        if _kind(first) != _kind(other):
            if first is not None and other is not None:
                raise _incompatible(first, other)
        elif _kind(first):
            if first == other:
                return True
        elif first is None or other is None:
            if first is other:
                return True
        elif type(first) is not type(other):
            raise TemplateError(
                f"non-comparable types {go_print(first)}: {go_type(first)}, "
                f"{go_type(other)}: {go_print(other)}"
            )
        else:
            raise TemplateError(f"non-comparable type {go_print(first)}: {go_type(other)}")
    return False


def _lt(a: Any, b: Any) -> bool:
    if not _kind(a) or not _kind(b):
        raise TemplateError("invalid type for comparison")
    if _kind(a) != _kind(b):
        raise _incompatible(a, b)
    if _kind(a) == "bool":
        raise TemplateError("invalid type for comparison")
    return bool(a < b)


def _le(a: Any, b: Any) -> bool:
    return _lt(a, b) or _eq([a, b])


# -- parts ---------------------------------------------------------------------------------


def _index_argument(index: Any, limit: int) -> int:
    if index is None:
        raise TemplateError("cannot index slice/array with nil")
    if type(index) is not int:
        raise TemplateError(f"cannot index slice/array with type {go_type(index)}")
    if not 0 <= index <= limit:
        raise TemplateError(f"index out of range: {index}")
    return index


def _index(values: list[Any]) -> Any:
    item = values[0]
    if item is None:
        raise TemplateError("index of untyped nil")
    for index in values[1:]:
        if item is None:
            raise TemplateError("index of nil pointer")
        if isinstance(item, dict):
            if index is None:
                raise TemplateError("value is nil; should be of type string")
            if type(index) is not str:
                raise TemplateError(f"value has type {go_type(index)}; should be string")
            item = item.get(index)
            continue
        if not isinstance(item, list | str):
            raise TemplateError(f"can't index item of type {go_type(item)}")
        whole = utf8_bytes(item) if isinstance(item, str) else item
        at = _index_argument(index, len(whole))
        if at == len(whole):
            kind = "string" if isinstance(item, str) else "slice"
            raise TemplateError(f"reflect: {kind} index out of range")
        item = whole[at]
    return item


def _slice(values: list[Any]) -> Any:
    item, indexes = values[0], values[1:]
    if item is None:
        raise TemplateError("slice of untyped nil")
    if len(indexes) > 3:
        raise TemplateError(f"too many slice indexes: {len(indexes)}")
    if not isinstance(item, list | str):
        raise TemplateError(f"can't slice item of type {go_type(item)}")
    if isinstance(item, str) and len(indexes) == 3:
        raise TemplateError("cannot 3-index slice a string")
    whole: Any = utf8_bytes(item) if isinstance(item, str) else item
    bounds = [0, len(whole), len(whole)]
    for place, index in enumerate(indexes):
        bounds[place] = _index_argument(index, len(whole))
    for low, high in pairwise(bounds):
        if low > high:
            raise TemplateError(f"invalid slice index: {low} > {high}")
    part = whole[bounds[0] : bounds[1]]
    return utf8_text(part) if isinstance(part, bytes) else part


def _len(values: list[Any]) -> int:
    value = values[0]
    if value is None:
        raise TemplateError("len of nil pointer")
    if isinstance(value, str):
        return len(utf8_bytes(value))
    if isinstance(value, list | dict):
        return len(value)
    raise TemplateError(f"len of type {go_type(value)}")


# -- text ----------------------------------------------------------------------------------


def _print(values: list[Any]) -> str:
    """The values, with a blank between two of which neither is a string."""
    out = ""
    for i, value in enumerate(values):
        if i and not isinstance(value, str) and not isinstance(values[i - 1], str):
            out += " "
        out += go_print(value)
    return out


def _shown(values: list[Any]) -> str:
    """Like :func:`_print`, but a value that is nil shows as ``<no value>``."""
    return _print(["<no value>" if value is None else value for value in values])


def _js(values: list[Any]) -> str:
    out = []
    for char in _shown(values):
        if char in _JS:
            out.append(_JS[char])
        elif char < " " or (char > "\x7f" and not char.isprintable()):
            out.append(f"\\u{ord(char):04X}")
        else:
            out.append(char)
    return "".join(out)


_FUNCTIONS: Final[dict[str, Callable[[list[Any]], Any]]] = {
    "not": lambda v: not truth(v[0]),
    "eq": _eq,
    "ne": lambda v: not _eq(v),
    "lt": lambda v: _lt(*v),
    "le": lambda v: _le(*v),
    "gt": lambda v: not _le(*v),
    "ge": lambda v: not _lt(*v),
    "index": _index,
    "slice": _slice,
    "len": _len,
    "print": _print,
    "println": lambda v: " ".join(map(go_print, v)) + "\n",
    "html": lambda v: _shown(v).translate(_HTML),
    "js": _js,
    "urlquery": lambda v: quote_plus(utf8_bytes(_shown(v))),
}


class _TemplatePrinter(Printer):
    """``printf`` over the values of a template."""

    def argument(self, value: Any) -> Any:
        return value

    def type_name(self, value: Any) -> str:
        return "<nil>" if value is None else go_type(value)

    def text(self, arg: Any, verb: str) -> str:
        if isinstance(arg, list):
            return f"[{' '.join(self._nested(item, verb) for item in arg)}]"
        if isinstance(arg, dict):
            pairs = (f"{self.text(k, verb)}:{self._nested(arg[k], verb)}" for k in sorted(arg))
            return f"map[{' '.join(pairs)}]"
        if arg is None:
            return self.padded("<nil>") if verb == "v" else f"%!{verb}(<nil>)"
        if isinstance(arg, bool):
            shown = "true" if arg else "false"
            return self.padded(shown) if verb in "vt" else f"%!{verb}(bool={shown})"
        if isinstance(arg, JsonNumber):
            formatted = FORMATS[str](str(arg), verb, self.flags)
            return f"%!{verb}(json.Number={arg})" if formatted is None else formatted
        return super().text(arg, verb)

    def _nested(self, arg: Any, verb: str) -> str:
        return self.padded("<nil>") if arg is None else self.text(arg, verb)
