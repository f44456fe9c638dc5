"""Base documents: where files belong in ``data``, and what cannot be merged."""

from __future__ import annotations

from pathlib import Path

import pytest

from adjudge.decision.waiver_file import Waiver
from adjudge.errors import AdjudgeError, ErrorList, InputError
from adjudge.policyset import load_policy_set, load_waiver_file

from .conftest import Tree

POLICY = 'package main\n\ndeny contains "x" if true\n'


def data_of(root: Path, *data: str) -> object:
    return load_policy_set([root / "p"], data=[root / name for name in data]).data


def test_a_file_belongs_at_the_root_and_a_folder_below_its_names(tree: Tree) -> None:
    root = tree(
        {
            "p/a.rego": POLICY,
            "p/x/y/data.json": '{"one": 1}',
            "p/x/data.yaml": "two: [a]\n",
            "p/data.yml": "three: 3\n",
            "more.json": '{"x": {"four": 1.5}}',
            "d/a/b/any.json": '{"five": null}',
            "d/top.yaml": "six: 'yes'\n",
            "d/list/z.json": "[1, 2]",
            "d/.hidden.json": "broken",
            "d/.hid/x.json": "broken",
            "d/readme.txt": "x",
        }
    )
    assert data_of(root, "more.json", "d") == {
        "three": 3,
        "x": {"y": {"one": 1}, "two": ["a"], "four": 1.5},
        "a": {"b": {"five": None}},
        "six": "yes",
        "list": [1, 2],
    }


def test_data_files_are_listed_apart_from_policies(tree: Tree) -> None:
    root = tree({"p/a.rego": POLICY, "more.json": '{"x": 1}'})
    with_data = load_policy_set([root / "p"], data=[root / "more.json"])
    assert [f.path for f in with_data.data_files] == ["more.json"]
    assert [f.path for f in with_data.files] == ["a.rego"]
    assert with_data.digest == load_policy_set([root / "p"]).digest


@pytest.mark.parametrize(
    ("first", "second", "path", "row"),
    [
        ('{"a": 1}', '{\n"a": 1}', "data.a", 2),
        ('{"a": {"b": {}}}', '{"a": {\n"b": 1}}', "data.a.b", 2),
        ('{"a": [1]}', '{"a": {"b": 1}}', "data.a", 1),
        ('{"a": null}', '{"a": null}', "data.a", 1),
    ],
)
def test_two_values_for_one_place_are_an_error(
    tree: Tree, first: str, second: str, path: str, row: int
) -> None:
    root = tree({"p/a.rego": POLICY, "1.json": first, "2.json": second})
    with pytest.raises(InputError) as error:
        data_of(root, "1.json", "2.json")
    assert error.value.code == "data_conflict"
    assert f"{path} is also given by" in error.value.message
    assert "1.json" in error.value.message
    assert error.value.location is not None
    assert error.value.location.file.endswith("2.json")
    assert error.value.location.row == row


def test_objects_are_merged_without_changing_what_was_read(tree: Tree) -> None:
    root = tree(
        {"p/a.rego": POLICY, "1.json": '{"a": {"x": {}}}', "2.json": '{"a": {"x": {"y": 1}}}'}
    )
    assert data_of(root, "1.json", "2.json") == {"a": {"x": {"y": 1}}}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("d.json", "[1]", "data_not_an_object"),
        ("d.json", '{"a": 1, "a": 2}', "json_duplicate_key"),
        ("d.yaml", "a: &x 1\n", "yaml_alias"),
        ("d.txt", "x", "not_a_data_file"),
        ("d/x.txt", "x", "no_data"),
        ("d.json", b"\xff", "invalid_utf8"),
        ("d.json", "[" * 10_000, "json_too_deep"),
    ],
)
def test_what_is_no_data(tree: Tree, name: str, content: str | bytes, code: str) -> None:
    root = tree({"p/a.rego": POLICY, name: content})
    with pytest.raises(InputError) as error:
        data_of(root, name.partition("/")[0])
    assert error.value.code == code
    assert error.value.location is not None


def test_everything_wrong_with_data_comes_together(tree: Tree) -> None:
    root = tree({"p/a.rego": POLICY, "1.json": "{", "2.json": "[]"})
    with pytest.raises(ErrorList) as error:
        data_of(root, "1.json", "2.json", "gone.json")
    assert {e.code for e in error.value.errors} == {
        "json_syntax",
        "data_not_an_object",
        "data_not_found",
    }


def test_the_revision_of_a_bundle(tree: Tree) -> None:
    root = tree({"a.rego": POLICY, ".manifest": '{"revision": "r42", "roots": [""]}'})
    found = load_policy_set([root])
    assert found.revision == "r42"
    assert ".manifest" in {f.path for f in found.files}
    (root / ".manifest").write_text('{"revision": 1}')
    with pytest.raises(InputError) as error:
        load_policy_set([root])
    assert error.value.code == "policy_manifest_invalid"


# --- waivers ----------------------------------------------------------------------------------

WAIVER = """\
waivers:
  - id: W-1
    rule: MC-05
    subject: {name: card.md}
    reason: because
    ticket: T-1
    owner: me
    approved_by: [you]
    created: 2026-01-01
    expires: 2026-02-01
"""


def test_a_waiver_file_is_read_strictly(tree: Tree) -> None:
    root = tree({"w.yaml": WAIVER, "bad.yaml": WAIVER.replace("id: W-1", "id: &a W-1")})
    loaded = load_waiver_file(root / "w.yaml")
    (waiver,) = loaded.waivers.waivers
    assert isinstance(waiver, Waiver)
    assert waiver.source is not None
    assert (waiver.source.file, waiver.source.line) == (loaded.file, 2)
    assert len(loaded.sha256) == 64
    with pytest.raises(InputError) as error:
        load_waiver_file(root / "bad.yaml")
    assert error.value.code == "yaml_alias"


@pytest.mark.parametrize(
    ("name", "code"),
    [("gone.yaml", "waivers_not_found"), ("", "waivers_invalid"), ("x.yaml", "waivers_invalid")],
)
def test_what_is_no_waiver_file(tree: Tree, name: str, code: str) -> None:
    root = tree({"x.yaml": "a: 1\n"})
    with pytest.raises(AdjudgeError) as error:
        load_waiver_file(root / name)
    assert error.value.code == code


def test_a_data_file_that_is_not_there_is_said_to_be_data(tree: Tree) -> None:
    with pytest.raises(AdjudgeError) as e:
        load_policy_set([tree({"a.rego": POLICY})], data=["nowhere/settings.yaml"])
    assert e.value.code == "data_not_found"
