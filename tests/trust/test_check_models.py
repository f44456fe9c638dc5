"""``adjudge check`` on real signed models: the right and the wrong key, identity and issuer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.trust.conftest import SHARED

from adjudge.cli import main

MODELS = SHARED / "data/signatures/model-signing"
pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason="the shared data is not there")

IBM = "https://sigstore.verify.ibm.com/oauth2"


def identity(name: str, issuer: str) -> dict[str, Any]:
    return {"identities": [{"identity": name, "issuer": issuer}]}


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("v1.0.1-sigstore", identity("stefanb@us.ibm.com", IBM), "verified"),
    ("v1.0.1-sigstore", identity("stefanb@us.ibm.co", IBM), "identity_not_allowed"),
    (
        "v1.0.1-sigstore",
        identity("stefanb@us.ibm.com", "https://accounts.google.com"),
        "identity_not_allowed",
    ),
    ("v1.0.1-sigstore", {"keys": ["signing-key-pub.pem"]}, "no_identity_pinned"),
    ("v1.0.1-elliptic-key", {"keys": ["signing-key-pub.pem"]}, "verified"),
    ("v1.0.1-elliptic-key", {"keys": ["other.pub"]}, "key_not_trusted"),
    ("v1.0.1-elliptic-key", {"keys": ["signing-key-pub.pem"], "threshold": 2}, "threshold_not_met"),
    ("v1.0.1-elliptic-key", identity("stefanb@us.ibm.com", IBM), "no_trusted_key"),
    ("v1.0.1-certificate", {"certificate_roots": ["ca-cert.pem"]}, "verified"),
    (
        "v1.0.1-certificate",
        {"certificate_roots": ["ca-cert.pem"], "certificate_names": ["a@b.example"]},
        "identity_not_allowed",
    ),
    ("v1.0.1-certificate", {"keys": ["signing-key-pub.pem"]}, "no_trusted_certificate_root"),
]


@pytest.mark.parametrize(("name", "trust", "code"), CASES)
def test_signed_models(
    name: str,
    trust: dict[str, Any],
    code: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for key in (MODELS / "keys").iterdir():
        shutil.copyfile(key, tmp_path / key.name)
    other = MODELS.parent / "sigstore-conformance/managed-key-happy-path/key.pub"
    shutil.copyfile(other, tmp_path / "other.pub")
    release = tmp_path / "release"
    shutil.copytree(MODELS / name, release / "model", copy_function=shutil.copyfile)
    (release / "model").chmod(0o755)
    (release / "model/ignore-me").unlink()
    (tmp_path / "trust.yaml").write_text(json.dumps(trust))
    (tmp_path / "rule.rego").write_text(
        "# METADATA\n# custom: {id: T-1, applies_to: signed_artifact}\npackage t\n"
        "deny contains input.facts.reason_code if not input.facts.verified\n"
        'deny contains "loose" if { input.facts.verified; not input.facts.coverage.complete }\n'
    )
    monkeypatch.chdir(tmp_path)
    arguments = ["check", "release", "-p", "rule.rego", "--trust", "trust.yaml", "-o", "json=-"]
    exit_code = main(arguments)
    decision = json.loads(capsys.readouterr().out)
    messages = [r["message"] for r in decision["results"] if r["outcome"] == "fail"]
    assert messages == ([] if code == "verified" else [code])
    assert exit_code == int(code != "verified")
