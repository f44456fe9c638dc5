"""Files that are no policies, or wicked ones: findings or an AdjudgeError, never anything else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from adjudge.errors import AdjudgeError
from adjudge.policyset.lint import Finding, lint

DEEP = "[" * 3000
HOSTILE = {
    "nothing": b"",
    "nul": b"package x\0\n",
    "no text": bytes(range(256)),
    "lone surrogate": b'package x\n\ndeny contains "\\ud800" if true\n',
    "terminal": b'package x\n\n# \x1b[2J\ndeny contains "a" if input.x == "\x7f"\n',
    "deep": f"package x\n\nx := {DEEP}{']' * 3000}\n".encode(),
    "deep calls": b"package x\n\nx := " + b"f(" * 500 + b"1" + b")" * 500 + b"\n",
    "many rules": b"package x\n\n" + b"\n".join(b"r%d := %d" % (n, n) for n in range(3000)),
    "bad pattern": b'package x\n\ndeny contains "a" if regex.match("(\\\\x", input.x)\n',
    "metadata": b"# METADATA\n# custom: {id: [[[\npackage x\n\ndeny contains 1\n",
    "metadata of another kind": b'# METADATA\n# custom: [1]\npackage x\n\ndeny contains "a"\n',
    "commands": b"package x\n\n::error::boo\n",
    "recursion": b'package x\n\ndeny contains "a" if p\np if q\nq if p\n',
}


def told(path: Path) -> tuple[Finding, ...]:
    """The findings; nothing else than an AdjudgeError may come instead."""
    try:
        return lint([path], now_ns=0).findings
    except AdjudgeError:
        return ()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_modules_end_in_findings_or_errors(tmp_path: Path, name: str) -> None:
    path = tmp_path / "p.rego"
    path.write_bytes(HOSTILE[name])
    findings = told(path)
    assert all(f.message and f.severity for f in findings)


def test_changed_policies_never_crash_it(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "policies" / "model-card"
    chance = random.Random(7)
    texts = [f.read_text() for f in sorted(folder.iterdir()) if f.name.startswith("mc-0")]
    for number in range(60):
        text = texts[number % len(texts)]
        for _ in range(3):
            at = chance.randrange(len(text))
            piece = chance.choice(["", "}", "input.", ' == "x"', "not ", "\n", "[_]", "1"])
            text = text[:at] + piece + text[at + chance.randrange(3) :]
        for name in ("p.rego", "p.yaml"):
            path = tmp_path / f"{number}" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            told(path)
