"""The reference pages say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from adjudge.gate.schemas import release_schema
from adjudge.policyset import load_policy_set, parse_collection

from .conftest import Tree

ROOT = Path(__file__).resolve().parents[2]
MANIFEST_PAGE = ROOT / "docs/reference/release-manifest.md"
SETS_PAGE = ROOT / "docs/reference/policy-sets.md"
MODULES = ("gitcontext", "release", "selection", "trustsettings")
CODE = re.compile(r'(?:GitError\(|degrade\(|code=)\s*"([a-z_]+)"')


def block(page: Path, language: str) -> str:
    """The first code block of a page in a language."""
    found = re.search(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_manifest_on_the_page_is_one() -> None:
    example = yaml.safe_load(block(MANIFEST_PAGE, "yaml").replace("2026-01-31", "'2026-01-31'"))
    Draft202012Validator(release_schema()).validate(example)


def test_the_page_names_every_key_of_the_manifest() -> None:
    text = MANIFEST_PAGE.read_text()
    schema = release_schema()
    names = {*schema["properties"], *schema["properties"]["trust"]["properties"]}
    for part in ("artifact", "reference", "contact", "processor", "supplier"):
        names |= set(schema["$defs"][part]["properties"])
    assert not [name for name in sorted(names) if f"`{name}`" not in text]


@pytest.mark.parametrize("module", MODULES)
def test_the_page_names_every_degradation(module: str) -> None:
    source = (ROOT / f"engine/adjudge/gate/{module}.py").read_text()
    text = MANIFEST_PAGE.read_text()
    codes = set(CODE.findall(source))
    assert codes
    assert not [code for code in sorted(codes) if f"`{code}`" not in text]


def test_the_policy_and_the_collection_on_the_page_are_ones(tree: Tree) -> None:
    root = tree({"p/rule.rego": block(SETS_PAGE, "rego")})
    (rule,) = load_policy_set([root]).rules
    assert rule.id == "RK-06"
    assert rule.effective_from is not None
    assert rule.effective_from.startswith("2027-12-02")
    collection = parse_collection(block(SETS_PAGE, "yaml"), "page")
    assert collection.include == ("MC-*", "pack:sbom", "SG-01")
