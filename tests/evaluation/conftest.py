"""Fixtures: policies and a release from texts, judged as the gate judges them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from adjudge.evaluation import Case, Judge, Judgement, Settings, evaluate
from adjudge.gate.release import load_release, release_input
from adjudge.policyset import load_policy_set

NOW = 1_767_225_600_000_000_000
"""2026-01-01T00:00:00Z."""

CARD = "---\nlicense: mit\nowner: me\n---\n# Card\n\n## Intended use\n\nAnswering questions.\n"

JudgeIt = Callable[..., Judgement]


def write(root: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder."""
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JudgeIt:
    """Judges files by policies; ``settings`` are those of :class:`Settings`.

    The clock and the entropy are fixed, so a judgement is a function of the arguments.
    """
    monkeypatch.chdir(tmp_path)

    def run(
        policies: Mapping[str, str] | str,
        files: Mapping[str, str],
        *,
        raw: bool = False,
        kinds: Mapping[str, str] | None = None,
        order: Callable[[Sequence[Any]], Sequence[Any]] = list,
        data: Mapping[str, str] | None = None,
        git: Mapping[str, Any] | None = None,
        progress: Callable[[int, int], None] | None = None,
        **settings: Any,
    ) -> Judgement:
        if isinstance(policies, str):
            policies = {"p.rego": policies}
        folder = write(tmp_path / "policies", policies)
        given = write(tmp_path / "data", data) if data else None
        loaded = load_policy_set([folder], data=[given] if given else [])
        root = write(tmp_path / "release", files)
        release = load_release(root, kinds=kinds)
        release.artifacts[:] = order(release.artifacts)
        settings = {"now_ns": NOW, "entropy": bytes(10), **settings}
        case = Case(
            documents=release.artifacts,
            release=release.info,
            release_input=release_input(release, git, settings["now_ns"]),
            release_digest=release.digest,
            locate_release=release.locate,
            git=git,
            degradations=release.degradations,
            raw=raw,
        )
        return evaluate(Judge(loaded), case, Settings(**settings), progress)

    return run
