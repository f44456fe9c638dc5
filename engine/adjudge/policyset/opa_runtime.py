"""What ``opa.runtime()`` tells tests, and queries that were granted it."""

from __future__ import annotations

import os
from typing import Any

from adjudge.version import __version__


def host_runtime(*, env: bool = True) -> dict[str, Any]:
    """The version, and the environment of this process unless ``env`` is false."""
    told: dict[str, Any] = {"version": __version__, "commit": ""}
    return {**told, "env": dict(os.environ)} if env else told
