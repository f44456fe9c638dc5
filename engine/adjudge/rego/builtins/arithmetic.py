"""The arithmetic builtins by name; the work is done in ``runtime.arithmetic``."""

from __future__ import annotations

from adjudge.rego.builtins.registry import builtin
from adjudge.rego.runtime import arithmetic

builtin("plus")(arithmetic.plus)
builtin("minus")(arithmetic.minus)
builtin("mul")(arithmetic.mul)
builtin("div")(arithmetic.div)
builtin("rem")(arithmetic.rem)
builtin("and")(arithmetic.bit_and)
builtin("or")(arithmetic.bit_or)
builtin("abs")(arithmetic.abs_)
builtin("round")(arithmetic.round_)
builtin("ceil")(arithmetic.ceil_)
builtin("floor")(arithmetic.floor_)
