"""The reference names every code and member of the public interface."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from adjudge.decision.model import Decision, Evidence, RuleResult
from adjudge.decision.outcome import ReasonCode
from adjudge.decision.waiver_file import WaiverEntry, parse_waivers
from adjudge.decision.waivers import WaiverCode

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


def _text(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


@pytest.mark.parametrize("code", list(ReasonCode))
def test_reason_codes(code: ReasonCode) -> None:
    assert f"| `{code}` |" in _text("decision.md")


@pytest.mark.parametrize("model", [Decision, RuleResult, Evidence])
def test_members_of_the_record(model: type[Decision | RuleResult | Evidence]) -> None:
    text = _text("decision.md")
    for name, field in model.model_fields.items():
        assert f"`{field.alias or name}`" in text


@pytest.mark.parametrize("code", list(WaiverCode))
def test_waiver_codes(code: WaiverCode) -> None:
    assert f"| `{code}` |" in _text("waivers.md")


def test_waiver_members() -> None:
    for name in WaiverEntry.model_fields:
        assert f"`{name}`" in _text("waivers.md")


def test_the_example_is_a_waiver() -> None:
    example = _text("waivers.md").split("```yaml\n")[1].split("```")[0]
    data = yaml.load(example, yaml.BaseLoader)
    waivers = parse_waivers(data, "waivers.yaml")
    assert [w.id for w in waivers.waivers] == ["W-2026-012"]
    assert not waivers.malformed
