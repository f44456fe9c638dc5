"""The reference lists every code that the ledger and its verifier can end with."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RAISED = re.compile(
    r'(?:Error|Failed|\.found|\.warn|_told)\(\s*"([a-z]+_[a-z_]+)"|code = "([a-z_]+)"'
)
FILES = [
    *sorted((ROOT / "engine" / "adjudge" / "ledger").glob("*.py")),
    ROOT / "engine" / "adjudge" / "cli" / "ledger.py",
    ROOT / "engine" / "adjudge" / "cli" / "ledgers.py",
]


def test_every_code_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "ledger.md").read_text()
    listed = set(re.findall(r"`([a-z_]+)`", page))
    raised = {
        code
        for file in FILES
        for found in RAISED.findall(file.read_text())
        for code in found
        if code
    }
    assert len(raised) > 50
    assert sorted(raised - listed) == []
