"""What commands share about terminals: safe text and whether a person is watching."""

from __future__ import annotations

import os
import sys


def safe(text: str) -> str:
    """Text without characters that a terminal would act on; lines are kept."""
    return "".join(
        c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else "�"
        for c in text
    )


def watching() -> bool:
    """Whether a person watches standard error, on a terminal that can move its cursor."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
