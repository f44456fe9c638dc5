"""``rand.intn``: consumes a key and a bound; produces a number below the bound."""

from __future__ import annotations

import hashlib
import hmac

from adjudge.rego.builtins.registry import BuiltinContext, builtin, want_integer, want_string
from adjudge.rego.runtime.arithmetic import decimal_digits
from adjudge.rego.runtime.text import utf8_bytes
from adjudge.rego.runtime.values import Value


@builtin("rand.intn", context=True, nondeterministic=True)
def intn(ctx: BuiltinContext, key: Value, n: Value) -> Value:
    """A number from 0 to ``abs(n) - 1``: one for each key, bound and seed of the evaluation."""
    text = want_string(key, 1)
    bound = abs(want_integer(n, 2))
    if bound == 0:
        return 0
    message = b"rand.intn\0" + utf8_bytes(f"{text}-{decimal_digits(bound)}")
    # 64 bits more than the bound has, so that no remainder is likelier than another.
    size = bound.bit_length() // 8 + 9
    octets = hashlib.shake_256(hmac.new(ctx.seed, message, hashlib.sha256).digest()).digest(size)
    return int.from_bytes(octets) % bound
