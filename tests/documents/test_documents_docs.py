"""The reference pages name every fact, problem and error of the kinds they describe."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adjudge.documents import registry

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "reference" / "documents"
CODE = ROOT / "engine" / "adjudge" / "documents"
SOURCES = {
    "model_card": ["model_card*.py", "facts.py"],
    "prompt_bundle": ["prompt_*.py", "facts.py"],
    "README": ["reading.py", "json_text.py", "yaml_text.py", "toml_text.py"],
}
RAISED = re.compile(
    r"(?:\berror\(|Problem\(|\.problem\(|error_at\(|_Refused\(|\.error\()"
    r'\s*(?:\w+(?:\.\w+)*(?:\([^()]*\))?,\s*){0,2}"([a-z0-9_]{5,})"'
)


@pytest.mark.parametrize("kind", ["model_card", "prompt_bundle", "generic"])
def test_every_fact_is_explained(kind: str) -> None:
    page = (PAGES / f"{kind.replace('_', '-')}.md").read_text()
    for fact in registry.kind_of(kind).schema()["properties"]:
        assert f"`{fact}`" in page


@pytest.mark.parametrize("page", SOURCES)
def test_every_code_is_explained(page: str) -> None:
    text = (PAGES / f"{page.replace('_', '-')}.md").read_text()
    codes = {
        code
        for pattern in SOURCES[page]
        for file in CODE.glob(pattern)
        for code in RAISED.findall(file.read_text())
    }
    assert len(codes) > 5
    assert {c for c in codes if f"`{c}`" not in text} == set()
