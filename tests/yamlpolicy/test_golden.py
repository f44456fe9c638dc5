"""Policies and the Rego they become: ``golden/NAME.yaml`` and ``golden/NAME.rego``.

``ADJUDGE_UPDATE_GOLDEN=1`` writes the Rego anew; read the difference before keeping it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.yamlpolicy.support import CARD, SCHEMAS

from adjudge.rego.parser import parse_module
from adjudge.rego.syntax import walk
from adjudge.source import Location
from adjudge.yamlpolicy import as_rego, compile_policy

GOLDEN = Path(__file__).with_name("golden")
NAMES = sorted(p.stem for p in GOLDEN.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_becomes_the_rego_beside_it(name: str) -> None:
    source = (GOLDEN / f"{name}.yaml").read_text("utf-8")
    text = as_rego(compile_policy(source, f"{name}.yaml", SCHEMAS).module)
    golden = GOLDEN / f"{name}.rego"
    if os.environ.get("ADJUDGE_UPDATE_GOLDEN"):
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_rego_text_means_the_module(name: str) -> None:
    source = (GOLDEN / f"{name}.yaml").read_text("utf-8")
    module = compile_policy(source, f"{name}.yaml", SCHEMAS).module
    parsed = parse_module((GOLDEN / f"{name}.rego").read_text("utf-8"))
    assert parsed.package == module.package
    assert parsed.rules == module.rules
    assert [a.fields for a in parsed.annotations] == [a.fields for a in module.annotations]


@pytest.mark.parametrize("name", NAMES)
def test_every_node_stands_in_the_yaml_file(name: str) -> None:
    source = (GOLDEN / f"{name}.yaml").read_text("utf-8")
    lines = source.split("\n")
    module = compile_policy(source, f"{name}.yaml", SCHEMAS).module
    assert (module.file, module.source) == (f"{name}.yaml", source)
    for node in walk((*module.rules, *module.annotations)):
        place: Location = getattr(node, "loc")  # noqa: B009 - the nodes share no class
        assert place.file == f"{name}.yaml"
        assert 1 <= place.row <= len(lines)
        assert 1 <= place.col <= len(lines[place.row - 1]) + 1


def test_compiling_again_gives_the_same() -> None:
    source = (GOLDEN / "components.yaml").read_text("utf-8")
    texts = {repr(compile_policy(source, "p.yaml", SCHEMAS).module) for _ in range(3)}
    assert len(texts) == 1


def test_rules_stand_where_their_entries_do() -> None:
    source = (GOLDEN / "dates.yaml").read_text("utf-8")
    rules = compile_policy(source, "dates.yaml", {"card": CARD}).module.rules
    places = [(getattr(r.head.ref, "name", ""), r.loc.row, r.loc.col) for r in rules[:4]]
    assert places == [("deny", 6, 5), ("reviewed_after", 8, 19), ("deny", 9, 5), ("deny", 11, 5)]


def test_inline_rego_stands_where_it_is_written() -> None:
    source = (GOLDEN / "rego.yaml").read_text("utf-8")
    module = compile_policy(source, "rego.yaml", SCHEMAS).module
    (custom,) = [r for r in module.rules if getattr(r.head.ref, "name", "") == "custom"]
    lines = source.split("\n")
    for expression in custom.body:
        row, col = expression.loc.row, expression.loc.col
        assert lines[row - 1][col - 1 :].startswith(("some i", "some j", "i < j", "tag == other"))
