"""How much one evaluation may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one evaluation; passing one ends it with ``eval_limit_error``.

    ``steps``: elements visited and units charged by builtins.  ``seconds``: wall time.
    ``size``: the most characters or elements a single value may grow to.
    """

    steps: int = 500_000_000
    seconds: float = 60.0
    size: int = 50_000_000


DEFAULT_LIMITS = Limits()
CHUNK = 20_000
"""Steps between two looks at the clock."""
