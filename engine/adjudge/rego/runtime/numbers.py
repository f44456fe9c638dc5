"""Numbers: from the text of a literal to ``int``, ``float`` or ``Decimal``, exactly."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from adjudge.rego.runtime.values import LiteralFloat

MAX_DIGITS: Final = 4_000
"""How many characters a number may have; CPython refuses to convert more than 4,300 digits."""

MAX_EXPONENT: Final = 30_000
"""The largest decimal exponent; OPA refuses numbers of more than 100,000 bits."""

_INTEGER: Final = re.compile(r"-?[0-9]+\Z")
_DECIMAL: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE]([+-]?[0-9]+))?\Z")

# What OPA prints without an exponent when it prints a computed number.
_PLAIN_BELOW: Final = 1e6


def parse_number(text: str) -> int | float | Decimal:
    """The number a JSON number text means, without losing anything.

    Integers are ``int``.  A fraction is a ``float`` when that is the number written
    *and* prints the way it was written, else a :class:`LiteralFloat` when only the
    spelling differs (``1e3``, ``1.50``), else a ``Decimal`` (``1e400``, thirty digits).

    Raises ``ValueError`` when the text is not a number, and when the number is too
    big to be computed with.
    """
    if len(text) > MAX_DIGITS:
        raise ValueError("number too big")
    if _INTEGER.match(text):
        # OPA prints minus zero as it was written.
        return int(text) if text != "-0" else LiteralFloat(text)
    found = _DECIMAL.match(text)
    if found is None:
        raise ValueError("invalid number")
    exponent = found[1]
    # The text of the exponent is bounded before it is converted: "1e" and 3,000 digits.
    if exponent and (len(exponent.lstrip("+-0")) > 6 or abs(int(exponent)) > MAX_EXPONENT):
        raise ValueError("number too big")
    number = float(text)
    spelled = repr(number)
    if text == spelled and exponent is None and -_PLAIN_BELOW < number < _PLAIN_BELOW:
        if not text.endswith(".0"):
            return number
    exact = Decimal(text)
    return LiteralFloat(text) if Decimal(spelled) == exact else exact
