"""Kinds are found in a folder, with reasons, and what is left out is said."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from adjudge.documents.detect import Detection, detect, kind_of_file
from adjudge.documents.model import Limits
from adjudge.documents.reading import Source
from adjudge.errors import InputError

Tree = Callable[[Mapping[str, "str | bytes"]], Path]

RELEASE: dict[str, str | bytes] = {
    "README.md": "---\nlicense: mit\n---\n# m\n",
    "docs/MODEL_CARD.md": "text",
    "docs/guide.md": "# How to install\n",
    "cards/mct.json": '{"model_details": {"name": "m"}, "considerations": {}}',
    "cards/plain.md": "## Intended Use\n\nx\n\n## Limitations\n\ny\n",
    "data/README.md": "---\nlicense: mit\ndataset_info: {}\n---\n",
    "sbom/app.cdx.json": "{}",
    "sbom/other.json": '{\n "bomFormat" : "CycloneDX"}',
    "sbom/spdx.json": '{"spdxVersion": "SPDX-2.3"}',
    "prompts/support/v1.0.0/config.yaml": "name: support\n",
    "prompts/support/v1.0.0/system.txt": "Hello",
    "prompts/support/v1.0.0/README.md": "---\nlicense: mit\n---\n",
    "agents/prompt.yaml": "name: a\nsystem_prompt: hi\n",
    "weights/model.safetensors": b"\0",
    "app/package.json": "{}",
    "node_modules/x/README.md": "---\nlicense: mit\n---\n",
    ".git/config": "x",
    "release.tar": b"x",
    "release.tar.sig": b"x",
    "lonely.sig": b"x",
}


def kinds(found: Detection) -> list[tuple[str, str]]:
    return [(c.path, c.kind) for c in found.candidates]


def test_a_release(tree: Tree) -> None:
    found = detect(tree(RELEASE))
    assert kinds(found) == [
        ("README.md", "model_card"),
        ("agents/prompt.yaml", "prompt_bundle"),
        ("cards/mct.json", "model_card"),
        ("cards/plain.md", "model_card"),
        ("docs/MODEL_CARD.md", "model_card"),
        ("prompts/support/v1.0.0", "prompt_bundle"),
        ("release.tar", "signed_artifact"),
        ("sbom/app.cdx.json", "sbom"),
        ("sbom/other.json", "sbom"),
        ("sbom/spdx.json", "sbom"),
        ("weights/model.safetensors", "weights"),
    ]
    assert all(c.reason for c in found.candidates)
    assert [(s.path, s.reason) for s in found.skipped] == [
        (".git", "version control"),
        ("app/package.json", "no known kind"),
        ("data/README.md", "no known kind"),
        ("docs/guide.md", "no known kind"),
        ("lonely.sig", "no known kind"),
        ("node_modules", "installed packages"),
    ]


def test_a_model_directory_is_one_artifact(tree: Tree) -> None:
    found = detect(
        tree(
            {
                "m/config.json": "{}",
                "m/tokenizer.json": "{}",
                "m/model-00001.safetensors": b"",
                "m/model-00002.safetensors": b"",
                "m/README.md": "---\nlicense: mit\n---\n",
                "m/.eval_results/x.yaml": "[]",
                "m/notes.txt": "x",
            }
        )
    )
    assert kinds(found) == [("m", "weights"), ("m/README.md", "model_card")]
    assert {s.path: s.reason for s in found.skipped} == {
        "m/notes.txt": "part of m",
        "m/.eval_results/x.yaml": "part of m",
    }


def test_a_signed_directory(tree: Tree) -> None:
    root = tree({"m/model.sig": b"{}", "m/weights.gguf": b"", "m/x.txt": "x"})
    found = detect(root)
    assert kinds(found) == [("m", "signed_artifact"), ("m/weights.gguf", "weights")]
    assert kind_of_file(Source(root, "m")) == (
        "signed_artifact",
        Source(root, "m"),
        "a directory with a model signature",
    )


def test_only_the_files_named(tree: Tree) -> None:
    found = detect(tree(RELEASE), ["sbom/app.cdx.json", "gone.md", "../x", "docs"])
    assert kinds(found) == [("sbom/app.cdx.json", "sbom")]
    assert {s.path: s.reason.split(":")[0] for s in found.skipped} == {
        "gone.md": "nothing stands there",
        "../x": "path_escape",
        "docs": "a directory",
    }


def test_links_and_special_files(tree: Tree, tmp_path: Path) -> None:
    root = (
        tree({"root/real.md": "# Model card", "root/d/x": "", "secret.md": "# Model card"}) / "root"
    )
    (root / "inside.md").symlink_to("real.md")
    (root / "outside.md").symlink_to(tmp_path / "secret.md")
    (root / "dangling.md").symlink_to("gone")
    (root / "linked").symlink_to("d")
    os.mkfifo(root / "pipe.md")
    found = detect(root)
    assert kinds(found) == [("inside.md", "model_card"), ("real.md", "model_card")]
    reasons = {s.path: s.reason.split(":")[0] for s in found.skipped}
    assert reasons == {
        "d/x": "no known kind",
        "dangling.md": "nothing stands there",
        "linked": "a directory",
        "outside.md": "path_escape",
        "pipe.md": "not a regular file",
    }


def test_odd_names_are_found_and_shown_escaped(tree: Tree) -> None:
    name = os.fsdecode(b"a \"b'\n\xff.md")
    found = detect(tree({name: "# Model card"}))
    assert kinds(found) == [("a \"b'\\n\\xff.md", "model_card")]
    assert found.candidates[0].source.read(100)


def test_bounded(tree: Tree) -> None:
    found = detect(tree({f"f{i}": "" for i in range(9)}), limits=Limits(max_files=4))
    assert found.truncated
    assert len(found.skipped) == 4


def test_binary_files_do_no_harm(tree: Tree) -> None:
    noise = bytes(range(256)) * 100
    found = detect(tree({"a.md": noise, "b.json": noise, "config.yaml": noise, "c": noise}))
    assert found.candidates == []


def test_empty_folder_and_missing_folder(tmp_path: Path) -> None:
    assert detect(tmp_path) == Detection()
    with pytest.raises(InputError, match="file_not_found"):
        detect(tmp_path / "gone")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("whisper.md", "# Model Card: Whisper\n", "model_card"),
        ("card.md", "---\nlanguage:\n- russian\n---\n# x\n", "model_card"),
        ("notes.md", "# Notes\n", None),
        ("a.json", "{}", "generic"),
        ("a.toml", "", "generic"),
        ("bom.json", "{}", "sbom"),
        ("my.prompt.yml", "messages:\n- role: user\n", "prompt_bundle"),
        ("m.gguf", "", "weights"),
        ("m.txt", "", None),
    ],
)
def test_single_files(tree: Tree, name: str, content: str, kind: str | None) -> None:
    found = kind_of_file(Source(tree({name: content}), name))
    assert (found.kind if found else None) == kind


def test_single_directories(tree: Tree) -> None:
    root = tree({"p/config.yaml": "a: 1", "q/x": ""})
    bundle = kind_of_file(Source(root, "p"))
    assert bundle is not None
    assert bundle.kind == "prompt_bundle"
    assert kind_of_file(Source(root, "q")) is None


def test_real_files(shared_data: Path) -> None:
    assert {c.kind for c in detect(shared_data / "sbom").candidates} == {"sbom"}
    assert len(detect(shared_data / "mlbom").candidates) == 3
    assert [k for _, k in kinds(detect(shared_data / "model-cards"))] == ["model_card"] * 3
    signed = detect(shared_data / "signatures" / "model-signing")
    assert kinds(signed) == [
        ("v1.0.1-certificate", "signed_artifact"),
        ("v1.0.1-elliptic-key", "signed_artifact"),
        ("v1.0.1-sigstore", "signed_artifact"),
    ]
