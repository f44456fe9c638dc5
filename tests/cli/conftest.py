"""Fixtures: a folder with a small release and policies, and the command line over it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adjudge.cli import main

CARD = "---\nlicense: mit\n---\n# Card\n\n## Intended use\n\nAnswering questions.\n"
BAD_CARD = CARD.replace("mit", "other")

POLICY = """package own.card

# METADATA
# title: The licence is allowed
# description: Only licences that legal knows.
# custom:
#   id: OWN-1
#   severity: high
#   remediation: Use another licence.
#   controls: [eu-ai-act/13.3]
#   applies_to: model_card
deny contains {"msg": msg, "pointer": "/facts/license"} if {
    not allowed
    msg := sprintf("licence %s is not allowed", [input.facts.license.id])
}

allowed if input.facts.license.id in {"mit"}
allowed if input.facts.license.id == data.licences.more

# METADATA
# title: The card has tags
# custom: {id: OWN-2, severity: low, applies_to: model_card}
warn contains "no tags" if count(input.facts.tags) == 0
"""

YAML_POLICY = """apiVersion: adjudge/v1
kind: Policy
metadata: {id: OWN-3, title: The purpose is written, severity: medium}
applies_to: model_card
deny:
  - message: "{path} does not say what the model is for"
    when: {path: facts.intended_use, is: missing}
"""

WAIVERS = """apiVersion: adjudge/v1
kind: Waivers
waivers:
  - id: W-1
    rule: OWN-1
    subject: {name: README.md}
    reason: agreed
    ticket: T-1
    owner: o
    approved_by: [a, b]
    created: 2026-01-01
    expires: 2026-06-01
"""


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The code of the error that was printed, after its place."""
        assert self.err.startswith("error: "), self.err
        for word in self.err.removeprefix("error: ").split(": "):
            if word.replace("_", "").isalnum() and word.islower():
                return word
        return ""


Run = Callable[..., Result]


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a release that is allowed, policies, waivers."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "GITHUB_EVENT_NAME", "ADJUDGE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return write(
        folder,
        {
            "release/README.md": CARD,
            "bad/README.md": BAD_CARD,
            "policies/card.rego": POLICY,
            "waivers.yaml": WAIVERS,
        },
    )


@pytest.fixture
def run(work: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process."""

    def call(*args: str | Path) -> Result:
        capsys.readouterr()
        code = main([os.fspath(a) for a in args])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture
def start(work: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts a command as a process; its output is piped unless told otherwise."""

    def begin(*args: str, **options: Any) -> subprocess.Popen[bytes]:
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
        environ |= options.pop("env", {})
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        program = os.path.join(sys.prefix, "bin", "adjudge")
        return subprocess.Popen([program, *args], cwd=work, env=environ, **options)

    return begin


@pytest.fixture
def process(start: Callable[..., subprocess.Popen[bytes]]) -> Run:
    """Runs a command as a process to its end."""

    def call(*args: str, given: bytes | None = None, **options: Any) -> Result:
        if given is not None:
            options["stdin"] = subprocess.PIPE
        running = start(*args, **options)
        out, err = running.communicate(given, timeout=60)
        return Result(
            running.returncode,
            (out or b"").decode("utf-8", "replace"),
            (err or b"").decode("utf-8", "replace"),
        )

    return call
