"""sprintf: Go's ``fmt`` verbs over Rego values.

An argument is formatted as one of four Go types, as OPA hands them over: ``float64``
(a number written with a fraction or an exponent), ``int64``, ``*big.Int``, and
``string`` for strings and for the text of everything else.  The rules, the odd ones
included (``%!d(string=x)``, ``%!(EXTRA …)``), are those of package ``fmt``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from adjudge.rego.builtins.floats import format_float
from adjudge.rego.builtins.operands import too_large
from adjudge.rego.builtins.registry import BuiltinContext, builtin, want_array, want_string
from adjudge.rego.runtime.arithmetic import decimal_digits, number_text
from adjudge.rego.runtime.text import go_quote, rego_text, utf8_bytes, valid_text
from adjudge.rego.runtime.values import Value, is_number

_INT64: Final = 1 << 63
_MAX_NUMBER: Final = 1_000_000
_PLAIN_VERB: Final = re.compile(r"%([vsd%])")
_BASES: Final = {"d": 10, "v": 10, "b": 2, "o": 8, "O": 8, "x": 16, "X": 16}
_MAX_TEMPLATES: Final = 512

_plain: dict[str, tuple[str, ...] | None] = {}


@builtin("sprintf", context=True)
def sprintf(context: BuiltinContext, template: Value, values: Value) -> str:
    """The template with its verbs replaced by the values."""
    text, args = want_string(template, 1), want_array(values, 2)
    if text not in _plain:
        if len(_plain) >= _MAX_TEMPLATES:
            _plain.clear()
        _plain[text] = _plain_parts(text)
    parts = _plain[text]
    if parts is not None and len(args) == len(parts) // 2:
        out = _fill(parts, args)
        if out is not None:
            if len(out) > context.max_size:
                raise too_large(context)
            return out
    return Printer(context).printf(text, args)


def _plain_parts(template: str) -> tuple[str, ...] | None:
    """Literals and verbs in turn, when the template has only ``%v``, ``%s``, ``%d``, ``%%``."""
    if _PLAIN_VERB.sub("", template).count("%"):
        return None
    parts = [""]
    for i, piece in enumerate(_PLAIN_VERB.split(template)):
        if i % 2 == 0:
            parts[-1] += piece
        elif piece == "%":
            parts[-1] += "%"
        else:
            parts += (piece, "")
    return tuple(parts)


def _fill(parts: tuple[str, ...], args: list[Value]) -> str | None:
    """The text of a plain template, or None when an argument needs the general rules."""
    out = list(parts)
    for i, arg in enumerate(args):
        verb = parts[2 * i + 1]
        if arg.__class__ is str:
            if verb == "d":
                return None
            out[2 * i + 1] = arg
        elif arg.__class__ is int:
            if verb == "s":
                return None
            out[2 * i + 1] = decimal_digits(arg)
        elif verb == "d" or is_number(arg):
            return None
        else:
            out[2 * i + 1] = rego_text(arg)
    return "".join(out)


class Flags:
    """The flags, width and precision of one verb."""

    __slots__ = (
        *("minus", "plus", "sharp", "space", "zero"),
        *("plus_v", "sharp_v", "width", "precision"),
    )

    def __init__(self) -> None:
        self.minus = self.plus = self.sharp = self.space = self.zero = False
        self.plus_v = self.sharp_v = False
        self.width: int | None = None
        self.precision: int | None = None


class _BigInt(int):
    """An integer beyond 64 bits, which Go holds in a ``big.Int``."""


def _argument(value: Value) -> Any:
    """The value as ``float``, ``int``, ``_BigInt`` or ``str``: what OPA passes to Go."""
    if isinstance(value, str):
        return value
    if not is_number(value):
        return rego_text(value)
    text = number_text(value)
    if "." in text or "e" in text or "E" in text:
        near = float(text)
        return text if near in (float("inf"), float("-inf")) else near
    whole = int(value)
    return whole if -_INT64 <= whole < _INT64 else _BigInt(whole)


GO_TYPES: Final = {float: "float64", int: "int64", _BigInt: "*big.Int", str: "string"}


class Printer:
    """One call of ``Sprintf``."""

    def __init__(self, context: BuiltinContext) -> None:
        self.context = context
        self.out: list[str] = []
        self.size = 0
        self.flags = Flags()
        self.next_arg = 0
        self.good_index = True
        self.reordered = False

    def write(self, text: str) -> None:
        """Add to the result, within the limit."""
        self.size += len(text)
        if self.size > self.context.max_size:
            raise too_large(self.context)
        self.out.append(text)

    def printf(self, template: str, values: list[Value]) -> str:
        """Format all verbs of the template."""
        args = [self.argument(v) for v in values]
        at, end = 0, len(template)
        while at < end:
            percent = template.find("%", at)
            if percent < 0:
                self.write(template[at:])
                break
            self.write(template[at:percent])
            at = self._verb(template, percent + 1, args)
        if not self.reordered and self.next_arg < len(args):
            self.flags = Flags()
            extra = map(self._extra, args[self.next_arg :])
            self.write(f"%!(EXTRA {', '.join(extra)})")
        return "".join(self.out)

    def argument(self, value: Any) -> Any:
        """A value of the caller as one that is formatted."""
        return _argument(value)

    def type_name(self, value: Any) -> str:
        """Go's name of the type of an argument."""
        return GO_TYPES[type(value)]

    def _extra(self, value: Any) -> str:
        return "<nil>" if value is None else f"{self.type_name(value)}={self.text(value, 'v')}"

    def _verb(self, template: str, at: int, args: list[Any]) -> int:
        """Format the verb whose flags begin at ``at``; returns where the text goes on."""
        end = len(template)
        flags = self.flags = Flags()
        self.good_index = True
        names = {"#": "sharp", "0": "zero", "+": "plus", "-": "minus", " ": "space"}
        while at < end and template[at] in names:
            setattr(flags, names[template[at]], True)
            at += 1
        at, indexed = self._index(template, at, len(args))
        at, indexed = self._width(template, at, args, indexed)
        at, indexed = self._precision(template, at, args, indexed)
        if not indexed:
            at, indexed = self._index(template, at, len(args))
        if at >= end:
            self.write("%!(NOVERB)")
            return at
        verb = template[at]
        if verb == "%":
            self.write("%")
        elif not self.good_index:
            self.write(f"%!{verb}(BADINDEX)")
        elif self.next_arg >= len(args):
            self.write(f"%!{verb}(MISSING)")
        else:
            if verb in "vw":
                flags.sharp_v, flags.sharp = flags.sharp, False
                flags.plus_v, flags.plus = flags.plus, False
            self.write(self._argument_text(args[self.next_arg], verb))
            self.next_arg += 1
        return at + 1

    def _width(self, text: str, at: int, args: list[Any], indexed: bool) -> tuple[int, bool]:
        flags = self.flags
        if at < len(text) and text[at] == "*":
            flags.width = self._number_argument(args)
            if flags.width is None:
                self.write("%!(BADWIDTH)")
            elif flags.width < 0:
                flags.width = -flags.width
                flags.minus, flags.zero = True, False
            return at + 1, False
        flags.width, at = _number(text, at)
        if indexed and flags.width is not None:
            self.good_index = False
        return at, indexed

    def _precision(self, text: str, at: int, args: list[Any], indexed: bool) -> tuple[int, bool]:
        flags = self.flags
        if at + 1 >= len(text) or text[at] != ".":
            return at, indexed
        if indexed:
            self.good_index = False
        at, indexed = self._index(text, at + 1, len(args))
        if at < len(text) and text[at] == "*":
            flags.precision = self._number_argument(args)
            if flags.precision is not None and flags.precision < 0:
                flags.precision = None
            if flags.precision is None:
                self.write("%!(BADPREC)")
            return at + 1, False
        flags.precision, at = _number(text, at)
        if flags.precision is None:
            flags.precision = 0
        return at, indexed

    def _index(self, text: str, at: int, count: int) -> tuple[int, bool]:
        """An explicit argument index ``[n]``, if there is one at ``at``."""
        if at >= len(text) or text[at] != "[":
            return at, False
        self.reordered = True
        close = text.find("]", at + 1)
        if close < 0 or len(text) - at < 3:
            self.good_index = False
            return at + 1, False
        number, stop = _number(text[:close], at + 1)
        if number is None or stop != close:
            self.good_index = False
            return close + 1, False
        if 1 <= number <= count:
            self.next_arg = number - 1
        else:
            self.good_index = False
        return close + 1, True

    def _number_argument(self, args: list[Any]) -> int | None:
        """The next argument as a width or a precision, or None when it is none."""
        if self.next_arg >= len(args):
            return None
        value = args[self.next_arg]
        self.next_arg += 1
        if type(value) is int and -_MAX_NUMBER <= value <= _MAX_NUMBER:
            return value
        return None

    def _argument_text(self, arg: Any, verb: str) -> str:
        if verb == "T":
            return self.padded(self.type_name(arg))
        return self.text(arg, verb)

    def padded(self, text: str) -> str:
        """The text cut and padded as the flags say."""
        return _pad(_cut(text, self.flags), self.flags)

    def text(self, arg: Any, verb: str) -> str:
        """One argument by one verb."""
        flags = self.flags
        kind = type(arg)
        if kind is _BigInt:
            return _big_text(arg, verb, flags)
        formatted = FORMATS[kind](arg, verb, flags)
        if formatted is None:
            return f"%!{verb}({self.type_name(arg)}={FORMATS[kind](arg, 'v', flags)})"
        return formatted


def _number(text: str, at: int) -> tuple[int | None, int]:
    """The decimal number at ``at`` and where it ends; one above a million is none."""
    stop = at
    number = 0
    while stop < len(text) and "0" <= text[stop] <= "9":
        if number > _MAX_NUMBER:
            return None, len(text)
        number = number * 10 + int(text[stop])
        stop += 1
    return (number, stop) if stop > at else (None, stop)


def _pad(text: str, flags: Flags) -> str:
    """The text at its width: blanks to the right with ``-``, else blanks or zeros to the left."""
    missing = (flags.width or 0) - len(text)
    if missing <= 0:
        return text
    if flags.minus:
        return text + " " * missing
    return ("0" if flags.zero else " ") * missing + text


def _pad_blank(text: str, flags: Flags) -> str:
    missing = (flags.width or 0) - len(text)
    if missing <= 0:
        return text
    return text + " " * missing if flags.minus else " " * missing + text


def _cut(text: str, flags: Flags) -> str:
    return text if flags.precision is None else text[: flags.precision]


# -- strings ---------------------------------------------------------------------------


def _string_text(text: str, verb: str, flags: Flags) -> str | None:
    if verb == "s" or (verb == "v" and not flags.sharp_v):
        return _pad(_cut(text, flags), flags)
    if verb in "vq":
        text = _cut(text, flags)
        if flags.sharp and _can_backquote(text):
            return _pad(f"`{text}`", flags)
        return _pad(_ascii(go_quote(text)) if flags.plus else go_quote(text), flags)
    if verb in "xX":
        return _hex_text(text, verb, flags)
    return None


def _can_backquote(text: str) -> bool:
    return all(
        c == "\t" or not (c < " " or c in "`\x7f\ufeff" or "\ud800" <= c <= "\udfff") for c in text
    )


def _ascii(quoted: str) -> str:
    """A quoted text with escapes for all that is not ASCII."""
    return "".join(
        c if c < "\x80" else (f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}")
        for c in quoted
    )


def _hex_text(text: str, verb: str, flags: Flags) -> str:
    """The bytes of a string in hexadecimal."""
    data = utf8_bytes(text)
    if flags.precision is not None:
        data = data[: flags.precision]
    prefix = "0x" if flags.sharp else ""
    if flags.space:
        digits = " ".join(f"{prefix}{byte:02x}" for byte in data)
    else:
        digits = prefix + data.hex() if data else ""
    return _pad(digits.upper() if verb == "X" else digits, flags)


# -- integers --------------------------------------------------------------------------


def _int_text(number: int, verb: str, flags: Flags) -> str | None:
    if verb in _BASES:
        return _based(number, verb, flags)
    code = number % (1 << 64)
    if verb == "c":
        return _pad(_rune(code), flags)
    if verb == "q":
        inner = go_quote(_rune(code))[1:-1].replace('\\"', '"').replace("'", "\\'")
        return _pad(f"'{_ascii(inner) if flags.plus else inner}'", flags)
    if verb == "U":
        text = f"U+{code:0{max(4, flags.precision or 0)}X}"
        if flags.sharp and code <= 0x10FFFF and chr(code).isprintable():
            text += f" '{chr(code)}'"
        return _pad_blank(text, flags)
    return None


def _rune(code: int) -> str:
    return valid_text(chr(code)) if code <= 0x10FFFF else "\ufffd"


def _based(number: int, verb: str, flags: Flags) -> str:
    if flags.precision == 0 and number == 0:
        return " " * (flags.width or 0)
    digits = _digits(abs(number), verb)
    signed = number < 0 or flags.plus or flags.space
    zeros = flags.precision or 0
    if flags.precision is None and flags.zero and not flags.minus and flags.width is not None:
        zeros = flags.width - signed
    digits = digits.rjust(zeros, "0")
    if flags.sharp:
        if verb == "o":
            digits = digits if digits.startswith("0") else "0" + digits
        elif verb != "O":
            digits = {"b": "0b", "x": "0x", "X": "0X"}.get(verb, "") + digits
        elif not digits.startswith("0"):
            digits = "0" + digits
    if verb == "O":
        digits = "0o" + digits
    sign = "-" if number < 0 else ("+" if flags.plus else " " if flags.space else "")
    return _pad_blank(sign + digits, flags)


def _digits(magnitude: int, verb: str) -> str:
    base = _BASES[verb]
    if base == 10:
        return decimal_digits(magnitude)
    return format(magnitude, {2: "b", 8: "o", 16: "x"}[base] if verb != "X" else "X")


def _big_text(number: int, verb: str, flags: Flags) -> str:
    """An integer beyond 64 bits, by the rules of ``big.Int``, which differ a little."""
    if verb == "s":
        verb = "d"
    if verb not in _BASES:
        if verb in "wp":
            return f"%!{verb}(*big.Int={decimal_digits(number)})"
        return f"%!{verb}(big.Int={decimal_digits(number)})"
    sign = (
        "-" if number < 0 else ("+" if flags.plus or flags.plus_v else " " if flags.space else "")
    )
    prefix = "0o" if verb == "O" else ""
    if flags.sharp or flags.sharp_v:
        prefix = prefix or {"b": "0b", "o": "0", "x": "0x", "X": "0X"}.get(verb, "")
    digits = _digits(abs(number), verb).rjust(flags.precision or 0, "0")
    missing = (flags.width or 0) - len(sign + prefix + digits)
    if missing > 0 and flags.zero and not flags.minus and flags.precision is None:
        digits = "0" * missing + digits
    return _pad_blank(sign + prefix + digits, flags)


FORMATS: Final[dict[type, Callable[[Any, str, Flags], str | None]]] = {
    str: _string_text,
    int: _int_text,
    float: format_float,
}
