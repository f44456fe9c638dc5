"""The standalone verifier: a script that shares no code with the rest and is given to others."""

from __future__ import annotations

from pathlib import Path


def source() -> bytes:
    """The text of the script."""
    return (Path(__file__).parent / "verify.py").read_bytes()
