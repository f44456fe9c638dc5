"""Fixtures: files written from texts, and Git repositories made by the git program."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Tree: TypeAlias = Callable[[Mapping[str, str | bytes]], Path]

CARD = "---\nlicense: mit\n---\n# Model card\n\n## Intended use\n\nAnswering.\n"
SBOM = json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": []})
CONFIG = "name: support\nversion: 1.2.0\nmodel: acme-1-20260101\nsystem_prompt: You help.\n"


class Repository:
    """A repository for tests; ``git`` runs the program in it with a fixed author."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *args: str, cwd: Path | None = None) -> str:
        """Run git and give its answer."""
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
            "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
        }
        for who in ("AUTHOR", "COMMITTER"):
            environ[f"GIT_{who}_NAME"] = "A"
            environ[f"GIT_{who}_EMAIL"] = "a@example.org"
        done = subprocess.run(
            ["git", *args], cwd=cwd or self.path, env=environ, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    def write(self, name: str | bytes, content: str) -> None:
        """Write a file of the checkout; a name in bytes need not be UTF-8."""
        path = os.path.join(os.fsencode(self.path), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(content)

    def commit(self, message: str = "change") -> str:
        """Commit everything and give the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with one commit of one file ``a.txt``."""
    made = Repository(tmp_path / "repo")
    made.write("a.txt", "one\n")
    made.commit()
    return made


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Writes files below a folder and gives the folder."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        root = tmp_path / "release"
        root.mkdir(exist_ok=True)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write


def validate(value: Any, schema: str) -> None:
    """Check what policies see against its published schema."""
    from jsonschema import Draft202012Validator

    from adjudge.policyset import input_schemas

    Draft202012Validator(input_schemas()[schema]).validate(value)
