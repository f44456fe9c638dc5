"""What commands share about terminals: safe text and whether a person is watching."""

from __future__ import annotations

import sys


def safe(text: str) -> str:
    """Text without characters that a terminal would act on; lines are kept."""
    return "".join(
        c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else "�"
        for c in text
    )


def watching() -> bool:
    """Whether a person watches standard error."""
    return sys.stderr.isatty()
