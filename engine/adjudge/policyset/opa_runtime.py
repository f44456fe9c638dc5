"""What ``opa.runtime()`` tells tests, and queries that were granted it."""

from __future__ import annotations

import os
from typing import Any

from adjudge.version import __version__


def host_runtime() -> dict[str, Any]:
    """The environment of this process, and the version."""
    return {"env": dict(os.environ), "version": __version__, "commit": ""}
