"""Collections choose rules, and what they need comes with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from adjudge.errors import AdjudgeError, ErrorList, InputError
from adjudge.policyset import collection_names, load_policy_set, pack_names, parse_collection

from .conftest import MC_05, Tree

HEAD = "apiVersion: adjudge/v1\nkind: Collection\nmetadata: {name: mine, title: T}\n"


def test_a_collection_restricts_the_rules_and_sets_severity(shipped: Path) -> None:
    found = load_policy_set(["baseline"])
    assert [(r.id, r.severity) for r in found.rules] == [
        ("MC-05", "critical"),
        ("SB-01", "critical"),
        ("SB-01", "critical"),
    ]
    assert {f.path for f in found.files} == {
        "collections/baseline.yaml",
        "lib/text.rego",
        "model-card/mc_05.yaml",
        "model-card/mc_05_test.rego",
        "sbom/data.yaml",
        "sbom/sb_01.rego",
        "sbom/sb_01_test.rego",
    }
    assert found.name == "baseline"


def test_the_digest_covers_the_collection_and_not_what_it_leaves_out(shipped: Path) -> None:
    before = load_policy_set(["baseline"]).digest
    (shipped / "model-card/mc_06.yaml").write_text(MC_05.replace("MC-05", "MC-06") + "\n")
    assert load_policy_set(["baseline"]).digest == before
    file = shipped / "collections/baseline.yaml"
    file.write_text(file.read_text().replace("critical", "low"))
    assert load_policy_set(["baseline"]).digest != before


def test_sources_add_up(shipped: Path, tree: Tree) -> None:
    found = load_policy_set(["pack:model-card", "baseline"])
    assert [(r.id, r.severity) for r in found.rules][:2] == [
        ("MC-05", "critical"),
        ("MC-06", "high"),
    ]
    assert found.name == "model-card+baseline"


def test_an_own_collection_chooses_from_the_folder_around_it(tree: Tree) -> None:
    root = tree(
        {
            "card/mc_05.yaml": MC_05,
            "card/mc_06.yaml": MC_05.replace("MC-05", "MC-06"),
            "collections/mine.yaml": HEAD + "include: [card]\nexclude: ['*-05']\n",
            "alone.yaml": HEAD + "include: [MC-05]\n",
        }
    )
    assert [r.id for r in load_policy_set([root / "collections/mine.yaml"]).rules] == ["MC-06"]
    assert [r.id for r in load_policy_set([root / "alone.yaml"]).rules] == ["MC-05"]
    # In a folder that is loaded as a whole, collections are only definitions.
    assert [r.id for r in load_policy_set([root]).rules] == ["MC-05", "MC-06"]


@pytest.mark.parametrize(
    ("text", "code", "row", "hint"),
    [
        ("include: [MC-05, MC-5]\n", "collection_no_match", 4, "did you mean MC-05?"),
        ("include: [pack:crad]\n", "collection_no_match", 4, "did you mean card?"),
        ("include: [MC-05]\nexclude: [ZZ-*]\n", "collection_no_match", 5, None),
        ("include: [MC-05]\nseverity: {MC-7: low}\n", "collection_no_match", 5, "MC-05"),
        ("include: [MC-05]\nseverity: {MC-05: hihg}\n", "collection_value", 5, "high"),
        ("include: [MC-05]\nexlude: []\n", "collection_unknown_key", 5, "did you mean exclude?"),
        ("exclude: [MC-05]\n", "collection_missing_key", 1, "include"),
        ("include: MC-05\n", "collection_type", 4, None),
        ("include: []\n", "collection_value", 4, None),
    ],
)
def test_mistakes_are_located(tree: Tree, text: str, code: str, row: int, hint: str | None) -> None:
    root = tree({"card/mc_05.yaml": MC_05, "collections/mine.yaml": HEAD + text})
    with pytest.raises(AdjudgeError) as error:
        load_policy_set([root / "collections/mine.yaml"])
    assert error.value.code == code
    assert error.value.location is not None
    assert error.value.location.row == row
    if hint:
        assert hint in str(error.value.hint)


def test_a_choice_of_nothing_is_an_error(tree: Tree) -> None:
    root = tree(
        {
            "card/mc_05.yaml": MC_05,
            "collections/mine.yaml": HEAD + "include: [MC-05]\nexclude: [card]\n",
        }
    )
    with pytest.raises(InputError) as error:
        load_policy_set([root / "collections/mine.yaml"])
    assert error.value.code == "no_policies"


def test_rules_outside_the_choice_do_not_count_though_their_module_is_there(tree: Tree) -> None:
    root = tree(
        {
            "p/a.rego": (
                "package p\n\nimport data.q\n\n"
                "# METADATA\n# custom: {id: A}\ndeny contains 'x' if q.deny\n\n"
                "# METADATA\n# custom: {id: B}\ndeny contains 'y' if true\n"
            ).replace("'", '"'),
            "q/b.rego": 'package q\n\n# METADATA\n# custom: {id: C}\ndeny contains "z" if true\n',
            "r/c.rego": 'package r\n\ndeny contains "z" if true\n',
            "collections/mine.yaml": HEAD + "include: [A]\n",
        }
    )
    found = load_policy_set([root / "collections/mine.yaml"])
    assert [r.id for r in found.rules] == ["A"]
    assert [m.package for m in found.modules] == [("p",), ("q",)]


def test_a_reference_that_is_not_known_keeps_everything(tree: Tree) -> None:
    root = tree(
        {
            "p/a.rego": 'package p\n\n# METADATA\n# custom: {id: A}\ndeny contains "x" if '
            "data[input.x].y\n",
            "q/b.rego": "package q\n\ny := 1\n",
            "collections/mine.yaml": HEAD + "include: [A]\n",
        }
    )
    assert len(load_policy_set([root / "collections/mine.yaml"]).modules) == 2


def test_names_of_packs_and_collections(shipped: Path) -> None:
    assert pack_names(shipped) == ["model-card", "sbom"]
    assert collection_names(shipped) == ["baseline"]


def test_parse_collection_reports_everything() -> None:
    with pytest.raises(ErrorList) as error:
        parse_collection("apiVersion: v1\nkind: Collection\nmetadata: {name: A_b}\n", "c.yaml")
    assert [e.code for e in error.value.errors] == [
        "collection_missing_key",
        "collection_value",
        "collection_missing_key",
        "collection_value",
    ]
