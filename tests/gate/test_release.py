"""Folders and files become releases: what is detected, forced, listed, skipped and signed."""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adjudge.decision.model import Degradation
from adjudge.errors import AdjudgeError, ErrorList, InputError, UsageError
from adjudge.gate.release import Release, event_name, load_release, release_input
from adjudge.gate.trustsettings import load_trust_file, trusted_root_digest
from adjudge.trust import TrustSettings

from .conftest import CARD, CONFIG, SBOM, Tree, validate

HEAD = "apiVersion: adjudge/v1\nkind: Release\nmetadata: {name: assistant, version: 2.3.0}\n"
FOLDER: dict[str, str | bytes] = {
    "card.md": CARD,
    "sbom.json": SBOM,
    "prompts/support/1.2.0/config.yaml": CONFIG,
    "prompts/support/1.2.0/system.txt": "You help.",
    "README.md": "# Hello\n",
    "notes.txt": "x",
}


def kinds_of(release: Release) -> dict[str, str]:
    return {f"{d.kind}:{d.path}": d.kind for d in release.artifacts}


def codes(release: Release) -> list[str]:
    return [d.code for d in release.degradations]


def detail_of(release: Release, code: str) -> Any:
    """The detail of the one degradation with that code."""
    (found,) = (d for d in release.degradations if d.code == code)
    return found.detail


class Signer:
    """An EC key that signs files the plain way."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())

    def public(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data: str) -> bytes:
        return base64.b64encode(self.key.sign(data.encode(), ec.ECDSA(hashes.SHA256())))


# --- a folder without a manifest ------------------------------------------------------------------


def test_kinds_are_detected_and_that_is_said(tree: Tree) -> None:
    release = load_release(tree(FOLDER))
    assert list(kinds_of(release)) == [
        "model_card:card.md",
        "prompt_bundle:prompts/support/1.2.0",
        "sbom:sbom.json",
    ]
    assert codes(release) == ["files_skipped", "manifest_missing"]
    skipped = detail_of(release, "files_skipped")
    assert [item["path"] for item in skipped] == ["README.md", "notes.txt"]
    assert len(detail_of(release, "manifest_missing")) == 3
    validate(release.info, "release")
    assert release.info["artifacts"][0] == {"path": "card.md", "kind": "model_card"}
    assert "name" not in release.info
    judged = {d["path"]: d["judged"] for d in release.detection}
    assert judged["card.md"] is True
    assert judged["notes.txt"] is False
    assert all(d["reason"] for d in release.detection)
    assert release.locate("/release/name") is None


def test_an_empty_folder_is_no_release(tree: Tree) -> None:
    for files, words in (({}, "nothing that can be judged"), ({"x.txt": "x"}, "none of its 1")):
        with pytest.raises(InputError) as error:
            load_release(tree(files))
        assert error.value.code == "nothing_to_judge"
        assert words in error.value.message
        assert error.value.hint


def test_a_manifest_alone_is_a_release(tree: Tree) -> None:
    release = load_release(tree({"release.yaml": HEAD}))
    assert release.artifacts == []
    assert release.info["name"] == "assistant"
    assert codes(release) == ["artifacts_detected"]


def test_a_manifest_without_artifacts_lets_them_be_detected(tree: Tree) -> None:
    text = HEAD + "assessments: {risk: {path: notes.txt}}\n"
    release = load_release(tree({**FOLDER, "release.yaml": text}))
    assert len(release.artifacts) == 3
    assert codes(release) == ["files_skipped", "artifacts_detected"]
    assert [d["path"] for d in detail_of(release, "files_skipped")] == ["README.md"]


def test_another_kind_of_release_file_is_not_a_manifest(tree: Tree) -> None:
    release = load_release(tree({**FOLDER, "release.yaml": "chart: x\n"}))
    assert release.manifest is None
    note = next(d for d in release.degradations if d.code == "manifest_missing")
    assert "release.yaml does not say kind: Release" in note.message


def test_a_folder_that_is_one_prompt_bundle(tree: Tree) -> None:
    root = tree({"config.yaml": CONFIG, "system.txt": "You help.", "tests.json": "[]"})
    (document,) = load_release(root).artifacts
    assert document.kind == "prompt_bundle"
    assert {f["path"] for f in document.files} == {"config.yaml", "system.txt", "tests.json"}


def test_names_with_spaces_line_ends_and_other_bytes(tree: Tree) -> None:
    root = tree({"my model card.md": CARD, "model\ncard.md": CARD})
    with open(os.fsencode(root) + b"/model_card_\xff.md", "w") as file:
        file.write(CARD)
    release = load_release(root)
    assert [d.path for d in release.artifacts] == [
        "model\\ncard.md",
        "model_card_\\xff.md",
        "my model card.md",
    ]
    assert all(d.path.isprintable() for d in release.artifacts)
    assert len(release.digest) == 64


def test_links_out_of_the_folder_are_not_judged(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text(CARD)
    root = tree({"card.md": CARD})
    (root / "model_card.md").symlink_to(tmp_path / "secret.md")
    release = load_release(root)
    assert [d.path for d in release.artifacts] == ["card.md"]
    assert "path_escape" in detail_of(release, "files_skipped")[0]["reason"]


def test_what_cannot_be_read_is_an_error_and_all_of_it_is_told(tree: Tree) -> None:
    root = tree({"a.cdx.json": "{", "b.cdx.json": "[]", "card.md": CARD})
    with pytest.raises(ErrorList) as error:
        load_release(root)
    assert [e.location and e.location.file for e in error.value.errors] == [
        "a.cdx.json",
        "b.cdx.json",
    ]


def test_progress_is_told(tree: Tree) -> None:
    told: list[tuple[int, int, str]] = []
    load_release(tree(FOLDER), progress=lambda *step: told.append(step))
    assert told == [(1, 3, "card.md"), (2, 3, "prompts/support/1.2.0"), (3, 3, "sbom.json")]


def test_the_files_of_a_signed_folder_are_parts_of_it(tree: Tree) -> None:
    release = load_release(tree({"model.sig": "x", "weights-1": "x", "weights-2": "y"}))
    assert list(kinds_of(release)) == ["signed_artifact:."]
    assert codes(release) == ["manifest_missing"]
    assert [d["reason"] for d in release.detection if not d["judged"]] == ["part of ."] * 2


# --- kinds that are given ------------------------------------------------------------------------


def test_kinds_can_be_given_for_patterns(tree: Tree) -> None:
    release = load_release(tree(FOLDER), kinds={"README.md": "model_card", "sb*.json": "generic"})
    assert "model_card:README.md" in kinds_of(release)
    assert "generic:sbom.json" in kinds_of(release)
    assert "sbom:sbom.json" not in kinds_of(release)


@pytest.mark.parametrize(
    ("kinds", "code"),
    [({"README.md": "card"}, "unknown_kind"), ({"*.xyz": "sbom"}, "kind_matches_nothing")],
)
def test_kinds_that_make_no_sense(tree: Tree, kinds: dict[str, str], code: str) -> None:
    with pytest.raises(UsageError) as error:
        load_release(tree(FOLDER), kinds=kinds)
    assert error.value.code == code
    assert error.value.hint


def test_a_folder_as_one_artifact(tree: Tree) -> None:
    root = tree({"m/config.yaml": CONFIG, "m/system.txt": "x", "m/card.md": CARD})
    (document,) = load_release(root / "m", kinds={"*": "prompt_bundle"}).artifacts
    assert (document.kind, document.path) == ("prompt_bundle", "m")


# --- files ----------------------------------------------------------------------------------------


def test_single_files(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree({**FOLDER, "sub/other.md": CARD, "settings.toml": "a = 1\n"})
    monkeypatch.chdir(root)
    for name, kind in (
        ("card.md", "model_card"),
        ("./sbom.json", "sbom"),
        ("sub/other.md", "model_card"),
        ("settings.toml", "generic"),
    ):
        (document,) = load_release(name).artifacts
        assert (document.kind, document.path) == (kind, name.removeprefix("./"))
    assert codes(load_release("card.md")) == []
    release = load_release(["card.md", "sub/other.md", "sbom.json"])
    assert [d.path for d in release.artifacts] == ["card.md", "sbom.json", "sub/other.md"]
    monkeypatch.chdir(root.parent.parent)
    release = load_release([root / "card.md", root / "sub/other.md"])
    assert all(d.path.endswith(".md") for d in release.artifacts)


def test_files_elsewhere_are_relative_to_what_they_share(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = tree({**FOLDER, "sub/other.md": CARD})
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    release = load_release([root / "card.md", root / "sub/other.md"])
    assert [d.path for d in release.artifacts] == ["card.md", "sub/other.md"]
    assert load_release(root / "sub/other.md").artifacts[0].path == "other.md"
    assert load_release(f"../{root.name}/card.md").artifacts[0].path == "card.md"


def test_a_link_that_the_operator_names_is_followed(tree: Tree, tmp_path: Path) -> None:
    root = tree(FOLDER)
    (tmp_path / "link.md").symlink_to(root / "card.md")
    (document,) = load_release(tmp_path / "link.md").artifacts
    assert document.digest == hashlib.sha256(CARD.encode()).hexdigest()


@pytest.mark.parametrize(
    ("paths", "kinds", "code"),
    [
        (["gone.md"], {}, "file_not_found"),
        (["a\0b"], {}, "file_not_found"),
        (["notes.txt"], {}, "unknown_file_kind"),
        (["card.md"], {"*": "nope"}, "unknown_kind"),
        (["card.md", "prompts"], {}, "one_release_at_a_time"),
        (["prompts", "prompts"], {}, "one_release_at_a_time"),
        ([], {}, "one_release_at_a_time"),
        (["pipe"], {}, "unknown_file_kind"),
        (["pipe"], {"*": "sbom"}, "not_a_file"),
        (["binary.json"], {}, "invalid_utf8"),
    ],
)
def test_what_cannot_be_judged(
    tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
    paths: list[str],
    kinds: dict[str, str],
    code: str,
) -> None:
    root = tree({**FOLDER, "binary.json": b"\x80\x81"})
    os.mkfifo(root / "pipe")
    monkeypatch.chdir(root)
    with pytest.raises(AdjudgeError) as error:
        load_release(paths, kinds=kinds)
    assert error.value.code == code
    assert not isinstance(error.value, ErrorList)


def test_a_kind_for_one_file(tree: Tree) -> None:
    root = tree({"x.dat": SBOM})
    (document,) = load_release(root / "x.dat", kinds={"*": "sbom"}).artifacts
    assert document.kind == "sbom"


def test_a_manifest_is_about_a_folder(tree: Tree) -> None:
    root = tree({**FOLDER, "release.yaml": HEAD})
    with pytest.raises(UsageError):
        load_release(root / "card.md", manifest=root / "release.yaml")


# --- a manifest -----------------------------------------------------------------------------------


def test_what_is_not_listed_is_not_judged_and_that_is_said(tree: Tree) -> None:
    text = HEAD + "artifacts: [{path: card.md}]\nassessments: {risk: {path: notes.txt}}\n"
    release = load_release(tree({**FOLDER, "release.yaml": text}))
    assert list(kinds_of(release)) == ["model_card:card.md"]
    assert codes(release) == ["artifact_unlisted"]
    unlisted = detail_of(release, "artifact_unlisted")
    assert [d["path"] for d in unlisted] == ["prompts/support/1.2.0", "sbom.json"]


def test_a_manifest_may_stand_elsewhere(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(HEAD + "artifacts: [{path: card.md}]\n")
    release = load_release(tree(FOLDER), manifest=tmp_path / "m.yaml")
    assert list(kinds_of(release)) == ["model_card:card.md"]
    assert release.info["manifest"] == "m.yaml"
    root = tree({"sub/m.yaml": HEAD + "artifacts: [{path: sbom.json}]\n"})
    assert load_release(root, manifest=root / "sub/m.yaml").info["manifest"] == "sub/m.yaml"
    with pytest.raises(InputError) as error:
        load_release(root, manifest=root / "gone.yaml")
    assert error.value.code == "file_not_found"


def test_entries_that_mean_one_file_count_once(tree: Tree) -> None:
    text = HEAD + "artifacts: [{path: card.md}, {path: '*.md'}, {path: ./card.md}]\n"
    root = tree({"card.md": CARD, "other_model_card.md": CARD, "release.yaml": text})
    assert [d.path for d in load_release(root).artifacts] == ["card.md", "other_model_card.md"]


def test_the_digest_is_that_of_what_is_judged(tree: Tree) -> None:
    root = tree({**FOLDER, "release.yaml": HEAD})
    first = load_release(root).digest
    assert load_release(root).digest == first
    (root / "notes.txt").write_text("other")
    assert load_release(root).digest == first
    (root / "release.yaml").write_text(HEAD + "tenant: x\n")
    second = load_release(root).digest
    (root / "prompts/support/1.2.0/system.txt").write_text("other")
    assert len({first, second, load_release(root).digest}) == 3


# --- signatures -------------------------------------------------------------------------------


def test_signatures_stand_with_what_they_sign(tree: Tree) -> None:
    signer = Signer()
    text = HEAD + "trust: {keys: [keys/a.pem]}\n"
    root = tree(
        {
            "sbom.json": SBOM,
            "sbom.json.sig": signer.sign(SBOM),
            "card.md": CARD,
            "keys/a.pem": signer.public(),
            "release.yaml": text,
        }
    )
    release = load_release(root)
    assert sorted(kinds_of(release)) == [
        "model_card:card.md",
        "sbom:sbom.json",
        "signed_artifact:sbom.json",
    ]
    sbom = next(d for d in release.artifacts if d.kind == "sbom")
    (signature,) = sbom.as_input()["signatures"]
    assert signature["verified"] is True
    card = next(d for d in release.artifacts if d.kind == "model_card")
    assert card.as_input()["signatures"] == []
    assert release.info["trust"] == {"source": "manifest"}
    assert "trust_from_manifest" in codes(release)
    # The operator says whom to trust: nobody.
    release = load_release(root, trust=TrustSettings())
    sbom = next(d for d in release.artifacts if d.kind == "sbom")
    assert sbom.as_input()["signatures"][0]["verified"] is False
    assert release.info["trust"] == {"source": "operator"}
    assert "manifest_trust_ignored" in codes(release)


def test_a_signature_and_key_that_the_manifest_names(tree: Tree) -> None:
    signer, other = Signer(), Signer()
    text = HEAD + "artifacts:\n- {path: sbom.json, signature: sig/s.sig, key: keys/a.pem}\n"
    files: dict[str, str | bytes] = {
        "sbom.json": SBOM,
        "sig/s.sig": signer.sign(SBOM),
        "keys/a.pem": signer.public(),
        "release.yaml": text,
    }
    release = load_release(tree(files))
    assert sorted(kinds_of(release)) == ["sbom:sbom.json", "signed_artifact:sbom.json"]
    assert release.artifacts[0].as_input()["signatures"][0]["verified"] is True
    assert release.locate("/release/artifacts/1/path") is not None
    # A key for one artifact is no key for the release, and the operator's word stands.
    release = load_release(tree({"keys/a.pem": other.public()}))
    assert release.artifacts[0].as_input()["signatures"][0]["verified"] is False
    root = tree({"keys/a.pem": signer.public()})
    release = load_release(root, trust=TrustSettings(keys=()))
    assert release.artifacts[0].as_input()["signatures"][0]["verified"] is False


def test_a_single_file_brings_its_signature_along(tree: Tree) -> None:
    signer = Signer()
    root = tree({"sbom.json": SBOM, "sbom.json.sig": signer.sign(SBOM), "k.pem": signer.public()})
    release = load_release(root / "sbom.json", trust=TrustSettings(keys=(root / "k.pem",)))
    (document,) = release.artifacts
    assert document.kind == "sbom"
    assert document.as_input()["signatures"][0]["verified"] is True
    (document,) = load_release(root / "sbom.json.sig").artifacts
    assert (document.kind, document.path) == ("signed_artifact", "sbom.json")


def test_a_key_that_is_none_is_the_operators_mistake(tree: Tree) -> None:
    text = HEAD + "trust: {keys: [k.pem]}\n"
    root = tree(
        {"sbom.json": SBOM, "sbom.json.sig": b"AAAA", "k.pem": "no key", "release.yaml": text}
    )
    with pytest.raises(InputError):
        load_release(root)


def test_the_operators_trust_file(tree: Tree, tmp_path: Path) -> None:
    signer = Signer()
    root = tree(
        {
            "k.pem": signer.public(),
            "root.json": "{}",
            "trust.yaml": "keys: [k.pem]\ntrusted_root: root.json\nmax_age_days: 30\n"
            "identities:\n- {identity: a, issuer: b}\n",
        }
    )
    as_of = datetime(2026, 1, 1, tzinfo=UTC)
    settings = load_trust_file(root / "trust.yaml", as_of)
    assert settings.keys == (root / "k.pem",)
    assert settings.max_age_days == 30
    assert settings.as_of == as_of
    assert trusted_root_digest(settings) == hashlib.sha256(b"{}").hexdigest()
    assert trusted_root_digest(None) is None
    (tmp_path / "link.yaml").symlink_to(root / "trust.yaml")
    with pytest.raises(ErrorList):
        load_trust_file(tmp_path / "link.yaml")  # its paths are relative to where it is named


@pytest.mark.parametrize(
    ("text", "code", "row"),
    [
        ("key: [k.pem]\n", "trust_unknown_key", 1),
        ("a: 1\nkeys: k.pem\n", "trust_unknown_key", 1),
        ("max_age_days: 1\nkeys: [gone.pem]\n", "trust_file_missing", 2),
        ("- a\n", "trust_type", 1),
        ("identities: [{identity: a}]\n", "trust_missing_key", 1),
        ("identities: [{issuer: a, identity_regex: '('}]\n", "trust_settings_invalid", None),
    ],
)
def test_a_trust_file_that_is_wrong(tree: Tree, text: str, code: str, row: int | None) -> None:
    with pytest.raises(AdjudgeError) as error:
        load_trust_file(tree({"trust.yaml": text}) / "trust.yaml")
    assert error.value.code == code
    if row is not None:
        assert error.value.location is not None
        assert error.value.location.row == row


# --- the input ------------------------------------------------------------------------------------

AS_OF = 1_767_225_600_000_000_000


def test_the_input_of_release_rules(tree: Tree) -> None:
    release = load_release(tree({**FOLDER, "release.yaml": HEAD}))
    given: dict[str, Any] = release_input(release, {"dirty": True}, AS_OF, "push")
    assert given["release"] is release.info
    assert given["git"] == {"dirty": True}
    assert given["context"] == {"as_of": "2026-01-01T00:00:00Z", "event": "push"}
    validate(given["context"], "context")
    assert [a["path"] for a in given["artifacts"]] == [d.path for d in release.artifacts]
    # The groups hold the very objects of the list: evidence finds its way back by identity.
    for document, artifact in zip(release.artifacts, given["artifacts"], strict=True):
        assert artifact is document.as_input()
    assert given["model_cards"][0] is given["artifacts"][0]
    assert given["sboms"][0] is given["artifacts"][2]
    for group in ("weights", "evaluations", "datasets", "attestations", "approvals", "generics"):
        assert given[group] == []
    assert [d["code"] for d in given["degradations"]] == codes(release)
    note = Degradation(code="x", message="y")
    given = release_input(release, None, AS_OF, degradations=[note])
    assert given["degradations"] == [{"code": "x", "message": "y", "detail": None}]
    assert given["git"] is None
    assert given["context"]["event"] == "manual"


def test_the_event() -> None:
    assert event_name("push", {"GITHUB_EVENT_NAME": "pull_request"}) == "push"
    assert event_name(None, {"GITHUB_EVENT_NAME": "pull_request"}) == "pull_request"
    assert event_name(None, {"CI_PIPELINE_SOURCE": "merge_request_event"}) == "merge_request_event"
    assert event_name("", {}) == "manual"
