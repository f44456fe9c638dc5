"""Fixtures: a folder of policies, linted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from adjudge.policyset.lint import Finding, lint

NOW = 1_790_000_000_000_000_000  # in September 2026

Lint = Callable[..., list[Finding]]

HEAD = """# METADATA
# scope: package
# title: T
# custom: {id: X-1, severity: low, applies_to: model_card, remediation: r, controls: [soc2/cc9.2]}
package x

"""


ALL = """package all_test

test_all if {
	data.x
	data.main
	data.adjudge.yaml
}
"""


@pytest.fixture
def linted(tmp_path: Path) -> Lint:
    """Lint some texts by file name; a test of everything stands beside them, so that nothing
    counts as untested."""

    def run(files: Mapping[str, str] | str, *, tested: bool = True) -> list[Finding]:
        texts = {"p.rego": HEAD + files} if isinstance(files, str) else dict(files)
        if tested:
            texts["all_test.rego"] = ALL
        for name, text in texts.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return list(lint([tmp_path], now_ns=NOW).findings)

    return run
