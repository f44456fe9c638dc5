"""The reference names every format and every error code of writing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adjudge.exports import writing
from adjudge.exports.writing import FORMATS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "reference" / "outputs.md").read_text("utf-8")


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name: str) -> None:
    assert f"| `{name}` |" in TEXT
    assert f"\n## {name}\n" in TEXT or name == "json"


def test_error_codes() -> None:
    source = Path(writing.__file__).read_text("utf-8")
    for code in set(re.findall(r'"(output_[a-z_]+)"', source)):
        assert f"| `{code}` |" in TEXT
