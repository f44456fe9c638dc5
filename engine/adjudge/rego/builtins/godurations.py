"""Go durations with days, weeks and years: consume a text such as ``1d2h30m``; produce nanoseconds.

The rules are Go's ``time.ParseDuration`` plus OPA's units ``d``, ``w`` and ``y``.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from adjudge.rego.builtins.golayout import LayoutError, quote
from adjudge.rego.runtime.text import go_quote

_LIMIT: Final = 1 << 63
_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # micro sign
    "μs": 1_000,  # Greek mu
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_HOURS: Final = {"d": 24, "w": 7 * 24, "y": 365 * 24}

_STEP: Final = re.compile(r"([0-9]*)(?:(\.)([0-9]*))?([^0-9.]*)")
_EXTENDED: Final = re.compile(r"[-+]?(?:[0-9.]+(?:ms|us|µs|ns|[a-z]))+")
_SEGMENT: Final = re.compile(r"([0-9.]+)(ms|us|µs|ns|[a-z])")


def parse_duration(text: str) -> int:
    """Nanoseconds, within 64 bits; LayoutError with OPA's text if it is no duration."""
    if not text:
        raise LayoutError('time: invalid duration ""')
    if not any(unit in text for unit in _HOURS):
        return _parse_standard(text)
    rewritten = _in_hours(text)
    try:
        return _parse_standard(rewritten)
    except LayoutError as err:
        message = str(err)
        raise LayoutError(f"{message[: message.rindex(' ')]} {go_quote(text)}") from None


def _in_hours(text: str) -> str:
    """Days, weeks and years replaced by hours."""
    if not _EXTENDED.fullmatch(text):
        raise LayoutError(f"time: invalid duration {go_quote(text)}")
    out = [text[0] if text[0] in "+-" else ""]
    for digits, unit in _SEGMENT.findall(text):
        if unit not in _HOURS:
            out.append(digits + unit)
            continue
        try:
            hours = float(digits) * _HOURS[unit]
        except ValueError:
            raise LayoutError(f"time: invalid duration {go_quote(text)}") from None
        if hours == float("inf"):
            raise LayoutError(f"time: invalid duration {go_quote(text)}")
        plain = format(Decimal(repr(hours)), "f")
        out.append(plain.removesuffix(".0") + "h")
    return "".join(out)


def _parse_standard(text: str) -> int:
    invalid = LayoutError(f"time: invalid duration {quote(text)}")
    rest = text[1:] if text[0] in "+-" else text
    if rest == "0":
        return 0
    if not rest:
        raise invalid
    total = 0
    while rest:
        found = _STEP.match(rest)
        if found is None or not (found[1] or found[3]):
            raise invalid
        total += _step(found, text, invalid)
        if total > _LIMIT:
            raise invalid
        rest = rest[found.end() :]
    if text[0] == "-":
        return -total
    if total == _LIMIT:
        raise invalid
    return total


def _step(found: re.Match[str], text: str, invalid: LayoutError) -> int:
    """The nanoseconds of one number and its unit."""
    whole, fraction, unit_name = found[1], found[3] or "", found[4]
    # A number past 64 bits is an error before its unit is looked at.
    if len(whole.lstrip("0")) > 19 or int(whole or "0") > _LIMIT:
        raise invalid
    if not unit_name:
        raise LayoutError(f"time: missing unit in duration {quote(text)}")
    unit = _UNITS.get(unit_name)
    if unit is None:
        raise LayoutError(f"time: unknown unit {quote(unit_name)} in duration {quote(text)}")
    value = int(whole or "0") * unit
    if value > _LIMIT:
        raise invalid
    # In floating point and digit by digit, to round exactly where Go rounds.
    numerator, scale = 0, 1.0
    for digit in fraction:
        if numerator > (_LIMIT - 1) // 10 or numerator * 10 + int(digit) > _LIMIT:
            break
        numerator = numerator * 10 + int(digit)
        scale *= 10
    if numerator:
        value += int(float(numerator) * (unit / scale))
    if value > _LIMIT:
        raise invalid
    return value
