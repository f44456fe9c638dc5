"""What is found: folders, files, shipped names, and what is left out."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from adjudge.errors import AdjudgeError, ErrorList, InputError
from adjudge.policyset import load_policy_set, shipped_policies

from .conftest import LIB, MC_05, SB_01, Tree

MAIN = "package main\n\ndeny contains 'x' if input.x\n".replace("'", '"')


def codes(error: AdjudgeError) -> list[str]:
    return [e.code for e in error.errors] if isinstance(error, ErrorList) else [error.code]


def test_a_folder_is_searched_and_sorted_into_roles(tree: Tree) -> None:
    root = tree(
        {
            "card/mc_05.yaml": MC_05,
            "card/mc_05_test.rego": "package t\n\ntest_a if true\n",
            "sbom/sb_01.rego": SB_01,
            "sbom/data.json": '{"old": "1.2"}',
            "lib/text.rego": LIB,
            "README.md": "hello",
        }
    )
    found = load_policy_set([root])
    assert [m.package for m in found.modules] == [
        ("adjudge", "yaml", "mc_05"),
        ("lib", "text"),
        ("sbom", "valid"),
    ]
    assert [m.package for m in found.test_modules] == [("t",)]
    assert found.data == {"sbom": {"old": "1.2"}}
    assert {f.path: f.role for f in found.files} == {
        "card/mc_05.yaml": "yaml",
        "card/mc_05_test.rego": "test",
        "sbom/sb_01.rego": "rego",
        "sbom/data.json": "data",
        "lib/text.rego": "rego",
    }
    assert found.packs == ("card", "sbom")
    assert found.name == "tree"
    assert [(r.id, r.pack, r.location.row) for r in found.rules] == [
        ("MC-05", "card", 11),
        ("SB-01", "sbom", 11),
        ("SB-01", "sbom", 13),
    ]


def test_the_digest_is_over_paths_and_contents_and_nothing_else(tree: Tree) -> None:
    root = tree({"a.rego": MAIN, "b/data.json": "{}"})
    files = [
        {"path": name, "sha256": hashlib.sha256((root / name).read_bytes()).hexdigest()}
        for name in ("a.rego", "b/data.json")
    ]
    expected = json.dumps(files, separators=(",", ":"), sort_keys=True)
    first = load_policy_set([root]).digest
    assert first == hashlib.sha256(expected.encode()).hexdigest()
    moved = root.rename(root.with_name("elsewhere"))
    assert load_policy_set([moved]).digest == first
    (moved / "a.rego").write_text(MAIN + "\n")
    assert load_policy_set([moved]).digest != first


def test_one_file_is_a_source(tree: Tree) -> None:
    root = tree({"p/a.rego": MAIN, "p/b.rego": "this is not read"})
    found = load_policy_set([root / "p/a.rego"])
    assert [f.path for f in found.files] == ["a.rego"]
    assert found.name == "a"


@pytest.mark.parametrize(
    ("files", "source", "code"),
    [
        ({"x.txt": "hello"}, "", "no_policies"),
        ({"x_test.rego": "package t\n\ntest_x if true\n"}, "", "no_policies"),
        ({"x.yaml": "a: 1"}, "", "no_policies"),
        ({"x.txt": "hello"}, "x.txt", "not_a_policy"),
        ({"x.yaml": "a: 1"}, "x.yaml", "not_a_policy"),
        ({"data.json": "{}"}, "data.json", "not_a_policy"),
        ({"x.txt": "hello"}, "gone", "policies_not_found"),
    ],
)
def test_nothing_found_is_an_error(
    tree: Tree, files: dict[str, str], source: str, code: str
) -> None:
    with pytest.raises(InputError) as error:
        load_policy_set([tree(files) / source])
    assert error.value.code == code
    assert error.value.hint


def test_no_sources_is_an_error() -> None:
    with pytest.raises(InputError) as error:
        load_policy_set([])
    assert error.value.code == "no_policies"


def test_hidden_folders_and_foreign_files_are_left_out(tree: Tree) -> None:
    root = tree(
        {
            "a.rego": MAIN,
            ".git/hook.rego": "broken",
            ".draft.rego": "broken",
            "testdata/input.json": '{"a": 1}',
            "testdata/bad.json": '{"a": ',
            "testdata/image.json": b"\x89PNG\0\xff",
            "release.yaml": "apiVersion: adjudge/v1\nkind: Release\n",
        }
    )
    found = load_policy_set([root])
    assert [f.path for f in found.files] == ["a.rego"]
    skipped = [lint.message for lint in found.lints if lint.code == "policy_file_skipped"]
    assert len(skipped) == 4
    assert any("image.json" in m and "not text" in m for m in skipped)


@pytest.mark.parametrize(
    "text",
    [
        "kind: Policy\n",
        "apiVersion: adjudge/v1\nkind: Polcy\nmetadata: {id: A, title: B}\n",
        "kind: Policy\nkind: Policy\n",
        'apiVersion: "adjudge/v1"\nmetadata: [\n',
    ],
)
def test_a_broken_policy_is_never_passed_over(tree: Tree, text: str) -> None:
    with pytest.raises(AdjudgeError):
        load_policy_set([tree({"a.rego": MAIN, "p.yaml": text})])


def test_all_errors_of_all_files_come_together(tree: Tree) -> None:
    root = tree(
        {
            "a.rego": "package a\n\ndeny contains if\n",
            "b.rego": "package b\n\nx := \n",
            "c.yaml": MC_05.replace("severity: high", "severity: hgih"),
            "d.yaml": "kind: Policy\nkind: Policy\n",
            "e.rego": b"package e\xff",
        }
    )
    with pytest.raises(ErrorList) as error:
        load_policy_set([root])
    places = {e.location.file for e in error.value.errors if e.location}
    assert {Path(p).name for p in places} == {"a.rego", "b.rego", "c.yaml", "d.yaml", "e.rego"}


def test_rego_v0(tree: Tree) -> None:
    root = tree({"a.rego": "package main\n\ndeny[msg] { msg := input.x }\n"})
    with pytest.raises(ErrorList):
        load_policy_set([root])
    found = load_policy_set([root], v0=True)
    assert found.modules[0].rego_version == 0
    assert [r.name for r in found.rules] == ["deny"]


# --- symbolic links ---------------------------------------------------------------------------


def test_links_inside_the_folder_are_followed_to_files(tree: Tree) -> None:
    # The way Kubernetes mounts a ConfigMap.
    root = tree({"..2026_01/a.rego": MAIN})
    (root / "..data").symlink_to("..2026_01")
    (root / "a.rego").symlink_to("..data/a.rego")
    assert [f.path for f in load_policy_set([root]).files] == ["a.rego"]


def test_links_out_of_the_folder_are_refused(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "outside.rego").write_text(MAIN)
    root = tree({"a.rego": MAIN})
    (root / "b.rego").symlink_to(tmp_path / "outside.rego")
    with pytest.raises(InputError) as error:
        load_policy_set([root])
    assert error.value.code == "path_escape"
    assert error.value.location is not None
    assert error.value.location.file.endswith("b.rego")


def test_links_to_folders_are_not_followed_and_said(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    root = tree({"a.rego": MAIN, "sub/b.rego": MAIN})
    (root / "in").symlink_to("sub")
    (root / "out").symlink_to(tmp_path / "outside")
    found = load_policy_set([root])
    assert [f.path for f in found.files] == ["a.rego", "sub/b.rego"]
    assert len([x for x in found.lints if x.code == "policy_file_skipped"]) == 2


def test_a_named_link_is_followed_wherever_it_leads(tree: Tree, tmp_path: Path) -> None:
    root = tree({"a.rego": MAIN})
    (tmp_path / "link").symlink_to(root)
    assert len(load_policy_set([tmp_path / "link"]).modules) == 1


def test_names_with_spaces_line_ends_and_other_bytes(tree: Tree) -> None:
    root = tree({"a b.rego": MAIN, "c\nd.rego": MAIN})
    with open(os.fsencode(root) + b"/\xff\xfe.rego", "wb") as file:
        file.write(MAIN.encode())
    found = load_policy_set([root])
    assert [f.path for f in found.files] == ["\\xff\\xfe.rego", "a b.rego", "c\\nd.rego"]
    assert all(f.shown.isprintable() for f in found.files)
    assert len({m.file for m in found.modules}) == 3


def test_an_unreadable_policy_is_an_error(tree: Tree) -> None:
    root = tree({"a.rego": MAIN})
    os.mkfifo(root / "b.rego")
    found = load_policy_set([root])  # a pipe is no file
    assert [f.path for f in found.files] == ["a.rego"]
    (root / "c.rego").symlink_to("nowhere")
    assert len(load_policy_set([root]).files) == 1


# --- how files are called ---------------------------------------------------------------------


def test_modules_are_called_as_the_operator_called_them(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree({"p/a.rego": MAIN, "q/a.rego": MAIN.replace("main", "other")})
    monkeypatch.chdir(root)
    assert [m.file for m in load_policy_set(["./p"]).modules] == ["p/a.rego"]
    assert [m.file for m in load_policy_set([str(root / "p")]).modules] == ["p/a.rego"]
    assert [m.file for m in load_policy_set(["p/a.rego"]).modules] == ["p/a.rego"]
    assert [m.file for m in load_policy_set(["."]).modules] == ["p/a.rego", "q/a.rego"]
    monkeypatch.chdir(root / "q")
    assert [m.file for m in load_policy_set(["../p"]).modules] == ["../p/a.rego"]
    assert [m.file for m in load_policy_set([root / "p"]).modules] == ["p/a.rego"]


def test_two_folders_of_one_name_stay_apart(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree({"x/p/a.rego": MAIN, "y/p/a.rego": MAIN.replace("main", "other"), "z/k": ""})
    monkeypatch.chdir(root / "z")
    found = load_policy_set([root / "x/p", root / "y/p"])
    assert len({m.file for m in found.modules}) == 2
    assert len(found.rules) == 2


def test_a_file_named_twice_counts_once(tree: Tree) -> None:
    root = tree({"p/a.rego": MAIN})
    found = load_policy_set([root, root / "p", root / "p/a.rego"])
    assert len(found.modules) == 1
    assert len(found.rules) == 1


# --- shipped policies -------------------------------------------------------------------------


def test_the_shipped_policies_are_found_in_the_checkout() -> None:
    assert shipped_policies() == Path(__file__).resolve().parents[2] / "policies"


def test_the_shipped_policies_are_found_in_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages/adjudge"
    (package / "_policies").mkdir(parents=True)
    monkeypatch.setattr("adjudge.policyset.shipped._PACKAGE", package)
    assert shipped_policies() == package / "_policies"
    (package / "_policies").rmdir()
    with pytest.raises(InputError) as error:
        shipped_policies()
    assert error.value.code == "shipped_policies_missing"


def test_a_pack_brings_what_it_needs_from_the_library(shipped: Path) -> None:
    for name in ("pack:sbom", "sbom"):
        found = load_policy_set([name])
        assert [m.file for m in found.modules] == [
            "adjudge/policies/sbom/sb_01.rego",
            "adjudge/policies/lib/text.rego",
        ]
        assert [r.id for r in found.rules] == ["SB-01", "SB-01"]
        assert [m.package for m in found.test_modules] == [("sb_01_test",)]
        assert found.data == {"sbom": {"old": "1.2"}}
        assert found.revision
        assert found.name == "sbom"


def test_unknown_names_get_a_suggestion(shipped: Path) -> None:
    for name, near in (("basline", "baseline"), ("pack:sbon", "pack:sbom"), ("sbon", "pack:sbom")):
        with pytest.raises(InputError) as error:
            load_policy_set([name])
        assert error.value.code == "unknown_policies"
        assert error.value.hint == f"did you mean {near}?"
    with pytest.raises(InputError) as error:
        load_policy_set(["collection:nothing-like-it"])
    assert "baseline" in str(error.value.hint)


def test_a_shipped_name_is_not_taken_by_a_folder_of_the_change(shipped: Path) -> None:
    Path("baseline").mkdir()
    Path("baseline/a.rego").write_text(MAIN)
    assert "MC-05" in {r.id for r in load_policy_set(["baseline"]).rules}
    assert [r.name for r in load_policy_set(["./baseline"]).rules] == ["deny"]
    Path("mine").mkdir()
    Path("mine/a.rego").write_text(MAIN)
    assert [r.name for r in load_policy_set(["mine"]).rules] == ["deny"]
