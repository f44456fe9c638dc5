"""``internal.probe``: tells the host which place of a policy was reached, and values there.

No capabilities list it, so no policy can call it; :mod:`adjudge.rego.probes` puts calls
into the programs it makes.  The host's ``probe`` service is called with the number of the
place and an array of values.
"""

from __future__ import annotations

from typing import Any, Final

from adjudge.rego.builtins.registry import BuiltinContext, builtin
from adjudge.rego.runtime.values import Value

NAME: Final = "internal.probe"


@builtin(NAME, context=True)
def internal_probe(ctx: BuiltinContext, number: Value, values: Value) -> Value:
    """Always true."""
    tell: Any = ctx.service("probe")
    if tell is not None:
        tell(number, values)
    return True
