"""Fixtures: policy files written from texts, and a stand-in for the shipped policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

Tree: TypeAlias = Callable[[Mapping[str, str | bytes]], Path]

MC_05 = """\
apiVersion: adjudge/v1
kind: Policy
metadata:
  id: MC-05
  title: Intended purpose is written
  severity: high
  controls: [eu-ai-act/13.3.b.i]
  remediation: Write it.
applies_to: model_card
deny:
  - message: no intended use
    when: {path: facts.intended_use, is: missing}
"""

SB_01 = """\
# METADATA
# title: The SBOM is valid
# custom:
#   id: SB-01
#   severity: critical
#   applies_to: sbom
package sbom.valid

import data.lib.text

deny contains text.of(e) if some e in input.facts.schema_errors

warn contains "old" if input.facts.version == data.sbom.old
"""

LIB = """\
package lib.text

of(e) := e.message
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Writes files below a folder and gives the folder."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        root = tmp_path / "tree"
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write


@pytest.fixture
def shipped(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small folder of policies in the place of the shipped ones; the working directory is
    an empty folder."""
    root = tree(
        {
            "model-card/mc_05.yaml": MC_05,
            "model-card/mc_05_test.rego": "package mc_05_test\n\ntest_x if true\n",
            "model-card/mc_06.yaml": MC_05.replace("MC-05", "MC-06"),
            "sbom/sb_01.rego": SB_01,
            "sbom/sb_01_test.rego": "package sb_01_test\n\ntest_y if true\n",
            "sbom/data.yaml": "old: '1.2'\n",
            "lib/text.rego": LIB,
            "lib/unused.rego": "package lib.unused\n\nx := 1\n",
            "collections/baseline.yaml": (
                "apiVersion: adjudge/v1\nkind: Collection\n"
                "metadata: {name: baseline, title: What everybody should check}\n"
                "include: [MC-*, pack:sbom]\nexclude: [MC-06]\nseverity: {MC-05: critical}\n"
            ),
        }
    )
    monkeypatch.setattr("adjudge.policyset.shipped.shipped_policies", lambda: root)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return root
