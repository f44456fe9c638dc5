"""Judges the two example releases: the broken one is denied, the good one allowed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from adjudge.cli import main

RUNS = (("examples/support-assistant-broken", 1), ("examples/support-assistant", 0))
"""What is judged, and the exit code that is right."""


def demo() -> int:
    """Print both decisions; 0 when both are what they should be."""
    os.chdir(Path(__file__).resolve().parents[1])
    right = True
    for release, expected in RUNS:
        print(f"\n$ adjudge check {release}\n", flush=True)
        found = main(["check", release])
        print(f"\nexit code {found}", flush=True)
        right = right and found == expected
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(demo())
