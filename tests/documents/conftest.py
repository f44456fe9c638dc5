"""Fixtures of the document tests: small trees of files, and the shared real data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from adjudge.documents.reading import Source

Tree = Callable[[Mapping[str, "str | bytes"]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Writes files by relative name below a fresh directory and gives the directory."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path

    return write


@pytest.fixture
def source(tree: Tree) -> Callable[[str, str | bytes], Source]:
    """One file as a Source."""

    def write(name: str, content: str | bytes) -> Source:
        return Source(tree({name: content}), name)

    return write


@pytest.fixture
def shared_data() -> Path:
    """The real files beside the project; tests that need them skip without them."""
    path = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the shared data is not beside the project")
    return path
