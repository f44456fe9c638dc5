"""How one evaluation runs, and how much it may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adjudge.rego.runtime.recording import Recording


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


@dataclass(frozen=True, slots=True)
class Options:
    """How an evaluation runs.

    ``now_ns`` is the clock (None: the real one, read once); ``seed`` feeds the
    random builtins; ``strict_builtin_errors`` turns a failing builtin into an error;
    ``services`` are what the host grants (see ``BuiltinContext.service``).  ``recorded``
    are the answers of nondeterministic builtins in an evaluation that is to be repeated
    (see :mod:`adjudge.rego.runtime.recording`): nothing else is asked then.
    """

    now_ns: int | None = None
    seed: bytes = b""
    strict_builtin_errors: bool = False
    limits: Limits = DEFAULT_LIMITS
    services: Mapping[str, Any] = field(default_factory=dict)
    recorded: Recording | None = None


DEFAULT_OPTIONS = Options()
