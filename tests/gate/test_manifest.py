"""The release manifest: what it may say, what is wrong with it and where, what policies see."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from adjudge.documents.reading import Source
from adjudge.errors import AdjudgeError, ErrorList, InputError
from adjudge.gate.manifest import read_manifest
from adjudge.gate.release import Release, load_release
from adjudge.gate.schemas import INPUT_SCHEMA_FILE, release_schema, render

from .conftest import CARD, CONFIG, SBOM, Tree, validate

HEAD = "apiVersion: adjudge/v1\nkind: Release\nmetadata: {name: assistant, version: 2.3.0}\n"

WHOLE = """\
apiVersion: adjudge/v1
kind: Release
metadata:
  name: assistant
  version: "2.3"
  title: Customer support
  description: Answers questions.
  labels: {team: support}
environment: production
tenant: acme
owner: support@example.org
provider: Acme Ltd
risk_tier: limited
general_purpose: false
use_case_tags: [customer-support]
contacts:
  incident: {name: On call, email: oncall@example.org, response_hours: 4}
  security: {url: "https://example.org/security", phone: "+1"}
oversight:
  role: shift lead
  measures: [stops the assistant, corrects answers]
  stop: a switch in the console
rollback:
  release: 2.2.1
  digest: {sha}
  procedure: runbook 7
  kill_switch: {owner: shift lead, procedure: runbook 8}
logging: {enabled: true, sink: s3, retention_days: 365}
retention: {documentation_years: 10, data_days: 30}
transparency:
  user_facing: true
  disclosure: You are talking to a machine.
  generates: [text]
  public: false
  marking: none
processing:
  regions: [eu-central-1]
  processors:
    - name: Cloud Inc
      service: inference
      dpa: DPA-7
      regions: [eu-central-1]
      transfer_basis: SCC
suppliers:
  - {name: Model Co, provides: base-7b, review_expires: 2027-01-01}
assessments:
  risk:
    path: docs/risk.md
    sha256: {sha}
    version: "2.3"
    date: 2026-01-31
    owner: me
    approved_by: [you]
  impact: {url: "https://example.org/fria"}
post_market:
  plan: {path: docs/plan.md}
  owner: me
  review_days: 90
declaration_of_conformity: {path: docs/risk.md}
artifacts:
  - {path: ./card.md, kind: model_card, name: The card}
  - path: "prompts/*/*"
    kind: prompt_bundle
  - path: sbom.json
  - {path: gone.json, optional: true}
approvals: [docs/approval.json]
"""

FILES = {
    "card.md": CARD,
    "sbom.json": SBOM,
    "docs/risk.md": "risk",
    "docs/plan.md": "plan",
    "docs/approval.json": "{}",
    "prompts/a/1.0.0/config.yaml": CONFIG,
    "prompts/a/1.0.0/system.txt": "You help.",
    "prompts/b/1.0.0/config.yaml": CONFIG,
    "prompts/b/1.0.0/system.txt": "You help.",
}
SHA = hashlib.sha256(b"risk").hexdigest()


def whole(tree: Tree) -> Release:
    return load_release(tree({**FILES, "release.yaml": WHOLE.replace("{sha}", SHA)}))


def errors_of(tree: Tree, text: str, **more: Any) -> list[AdjudgeError]:
    root = tree({**FILES, "release.yaml": text, **more})
    with pytest.raises(AdjudgeError) as error:
        load_release(root)
    raised = error.value
    return raised.errors if isinstance(raised, ErrorList) else [raised]


def test_everything_a_manifest_can_say_reaches_policies(tree: Tree) -> None:
    release = whole(tree)
    info = release.info
    validate(info, "release")
    assert (info["name"], info["version"], info["labels"]) == (
        "assistant",
        "2.3",
        {"team": "support"},
    )
    assert info["risk_tier"] == "limited"
    assert info["contacts"]["incident"]["response_hours"] == 4
    assert info["rollback"]["kill_switch"]["owner"] == "shift lead"
    assert info["processing"]["processors"][0]["dpa"] == "DPA-7"
    assert info["manifest"] == "release.yaml"
    assert info["trust"] == {"source": "none"}
    assert info["assessments"]["risk"] == {
        "path": "docs/risk.md",
        "sha256": SHA,
        "version": "2.3",
        "date": "2026-01-31",
        "owner": "me",
        "approved_by": ["you"],
        "digest": SHA,
        "size": 4,
        "digest_matches": True,
    }
    assert info["post_market"]["plan"]["digest"] == hashlib.sha256(b"plan").hexdigest()
    assert "digest_matches" not in info["declaration_of_conformity"]
    assert info["approvals"] == [
        {"path": "docs/approval.json", "digest": hashlib.sha256(b"{}").hexdigest(), "size": 2}
    ]
    assert info["artifacts"] == [
        {"path": "card.md", "kind": "model_card", "name": "The card"},
        {"path": "prompts/a/1.0.0", "kind": "prompt_bundle"},
        {"path": "prompts/b/1.0.0", "kind": "prompt_bundle"},
        {"path": "sbom.json", "kind": "sbom"},
    ]
    assert [d.code for d in release.degradations] == ["artifact_missing"]


def test_a_manifest_uses_the_whole_schema(tree: Tree) -> None:
    # So that the test above proves what it says.
    whole(tree)
    named = {*release_schema()["properties"]} - {"trust"}
    assert named == set(yaml.safe_load(WHOLE.replace("{sha}", SHA)))


def test_places_lead_back_to_the_manifest(tree: Tree) -> None:
    release = whole(tree)
    lines = (release.root / "release.yaml").read_text().splitlines()

    def line_of(pointer: str) -> str:
        place = release.locate(pointer)
        assert place is not None
        assert place.file == "release.yaml"
        assert release.excerpt(place) == lines[place.line - 1]
        return lines[place.line - 1].strip()

    assert line_of("/release/name") == "name: assistant"
    assert line_of("/release/labels/team") == "labels: {team: support}"
    assert line_of("/release/risk_tier") == "risk_tier: limited"
    assert line_of("/release/contacts/incident/email").startswith("incident:")
    assert line_of("/release/assessments/risk/owner") == "owner: me"
    assert line_of("/release/assessments/risk/digest_matches") == "path: docs/risk.md"
    assert line_of("/release/artifacts/0/kind").startswith("- {path: ./card.md")
    assert line_of("/release/artifacts/1/path") == '- path: "prompts/*/*"'
    assert line_of("/release/artifacts/2/path") == '- path: "prompts/*/*"'
    assert line_of("/release/artifacts/3") == "- path: sbom.json"
    assert line_of("/release/approvals/0/digest") == "approvals: [docs/approval.json]"
    # What is not said is placed at what would say it.
    assert line_of("/release/contacts/privacy").startswith("incident:")
    assert line_of("/release/nothing") == "apiVersion: adjudge/v1"
    assert line_of("/release") == "apiVersion: adjudge/v1"
    assert release.locate("/git/dirty") is None
    assert release.locate("/releases") is None


def test_a_changed_document_does_not_match(tree: Tree) -> None:
    text = (
        f"{HEAD}artifacts: []\nassessments: {{risk: {{path: docs/risk.md, sha256: {'0' * 64}}}}}\n"
    )
    release = load_release(tree({**FILES, "release.yaml": text}))
    assert release.info["assessments"]["risk"]["digest_matches"] is False
    # The manifest itself stays as it is read.
    assert release.manifest is not None
    assert "digest" not in release.manifest.value["assessments"]["risk"]


@pytest.mark.parametrize(
    ("text", "code", "row", "hint"),
    [
        ("apiVersion: adjudge/v1\nkind: Release\n", "release_missing_key", 1, "add metadata"),
        (HEAD + "risk_teir: high\n", "release_unknown_key", 4, "did you mean risk_tier?"),
        (HEAD + "zzz: 1\n", "release_unknown_key", 4, "known are"),
        (HEAD + "risk_tier: hihg\n", "release_value", 4, "did you mean high?"),
        (HEAD + "contacts: {incidnet: {name: x}}\n", "release_unknown_key", 4, "incident"),
        (HEAD + "contacts: {incident: {}}\n", "release_value", 4, None),
        (HEAD.replace("2.3.0", "2.3"), "release_type", 3, "quotes"),
        (HEAD + "logging: {retention_days: -1}\n", "release_value", 4, None),
        (HEAD + "logging: {retention_days: long}\n", "release_type", 4, None),
        (HEAD + "use_case_tags: [Not A Tag]\n", "release_value", 4, None),
        (HEAD + "assessments: {risk: {date: 2026-01-01}}\n", "release_value", 4, None),
        (HEAD + "assessments: {risk: {path: a, url: b}}\n", "release_value", 4, None),
        (
            HEAD + "assessments: {risk: {path: docs/risk.md, date: soon}}\n",
            "release_value",
            4,
            None,
        ),
        (
            HEAD + "artifacts:\n- path: card.md\n  kind: modelcard\n",
            "release_unknown_kind",
            6,
            "card",
        ),
        (HEAD + "artifacts:\n- kind: sbom\n", "release_missing_key", 5, "path"),
        (
            HEAD + "artifacts:\n- path: crad.md\n",
            "release_missing_file",
            5,
            "did you mean card.md?",
        ),
        (HEAD + "artifacts:\n- path: x/*.md\n", "release_missing_file", 5, None),
        (HEAD + "artifacts:\n- path: docs/plan.md\n", "release_kind_unknown", 5, "add kind"),
        (HEAD + "artifacts:\n- path: ../card.md\n", "release_path_escape", 5, "relative"),
        (HEAD + "artifacts:\n- path: a/../../b\n", "release_path_escape", 5, None),
        (HEAD + "artifacts:\n- path: /etc/passwd\n", "release_path_escape", 5, None),
        (HEAD + "artifacts:\n- path: a\\b\n", "release_path", 5, None),
        (HEAD + 'artifacts:\n- path: "a\\0b"\n', "release_path", 5, None),
        (
            HEAD + "artifacts:\n- {path: card.md, signature: gone.sig}\n",
            "release_missing_file",
            5,
            None,
        ),
        (HEAD + "artifacts:\n- {path: card.md, key: ../k.pem}\n", "release_path_escape", 5, None),
        (HEAD + "artifacts:\n- {path: card.md, key: k.pem}\n", "release_missing_file", 5, None),
        (HEAD + "approvals: [gone.json]\nartifacts: []\n", "release_missing_file", 4, None),
        (
            HEAD + "artifacts: []\npost_market: {plan: {path: docs}}\n",
            "release_not_a_file",
            5,
            None,
        ),
        (HEAD + "artifacts: []\ntrust: {keys: [gone.pem]}\n", "release_missing_file", 5, None),
        (HEAD + "trust: {identities: [{issuer: x}]}\n", "release_value", 4, None),
        (HEAD + "trust: {keys: [../k.pem]}\n", "release_path_escape", 4, None),
        (HEAD + "environment: &a x\n", "yaml_alias", 4, None),
        (HEAD + "kind: Release\n", "yaml_duplicate_key", 4, None),
        (HEAD + "x: !!python/object:os.system a\n", "yaml_tag", 4, None),
        (HEAD + "environment: [\n", "yaml_syntax", 5, None),
    ],
)
def test_mistakes_are_located(tree: Tree, text: str, code: str, row: int, hint: str | None) -> None:
    errors = errors_of(tree, text)
    assert [e.code for e in errors] == [code]
    (error,) = errors
    assert error.location is not None
    assert (error.location.file, error.location.row) == ("release.yaml", row)
    if hint is not None:
        assert hint in str(error.hint)


def test_all_mistakes_are_reported_together(tree: Tree) -> None:
    text = HEAD + "artifacts:\n- path: a.md\n- path: b.md\nassessments: {risk: {path: c.md}}\n"
    assert [e.location and e.location.row for e in errors_of(tree, text)] == [5, 6, 7]


def test_a_link_out_of_the_folder_is_refused(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text(CARD)
    root = tree(
        {"release.yaml": HEAD + "artifacts:\n- path: link.md\n- path: in.md\n", "a.md": CARD}
    )
    (root / "link.md").symlink_to(tmp_path / "secret.md")
    (root / "in.md").symlink_to("a.md")
    with pytest.raises(ErrorList) as error:
        load_release(root)
    assert [e.code for e in error.value.errors] == ["release_path_escape"]
    assert error.value.location is not None
    assert error.value.location.row == 5


def test_a_literal_name_may_look_like_a_pattern(tree: Tree) -> None:
    root = tree({"release.yaml": HEAD + "artifacts:\n- path: card[1].md\n", "card[1].md": CARD})
    assert [d.path for d in load_release(root).artifacts] == ["card[1].md"]


def test_two_manifests_are_one_too_many(tree: Tree) -> None:
    root = tree({"release.yaml": HEAD, "release.yml": HEAD})
    with pytest.raises(InputError) as error:
        load_release(root)
    assert error.value.code == "manifest_ambiguous"


def test_a_manifest_too_large_or_not_text(tree: Tree) -> None:
    for content, code in (
        (HEAD.encode() + b"\xff", "invalid_utf8"),
        (HEAD + "#" * 6_000_000, None),
    ):
        root = tree({"release.yaml": content})
        with pytest.raises(InputError) as error:
            load_release(root)
        assert error.value.code == (code or "file_too_large")


# --- published schemas ----------------------------------------------------------------------------


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(release_schema())


def test_what_policies_see_follows_from_the_manifest() -> None:
    assert INPUT_SCHEMA_FILE.read_text() == render()
    Draft202012Validator.check_schema(json.loads(render()))


def test_every_field_has_words_for_messages() -> None:
    def check(schema: dict[str, Any], name: str) -> None:
        if "$ref" in schema or "const" in schema:
            return
        assert schema.get("description"), name
        for key, value in schema.get("properties", {}).items():
            check(value, f"{name}.{key}")
        if "items" in schema:
            check(schema["items"], f"{name}[]")

    schema = release_schema()
    check(schema, "release")
    for name, value in schema["$defs"].items():
        check(value, name)


def test_a_manifest_is_a_document_with_places(tree: Tree) -> None:
    root = tree({"release.yaml": HEAD})
    manifest = read_manifest(Source(root, "release.yaml"))
    assert manifest.document.kind == "release"
    assert manifest.document.digest == hashlib.sha256(HEAD.encode()).hexdigest()
