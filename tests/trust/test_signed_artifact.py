"""Files and model directories with the signatures beside them, as documents."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from jsonschema import Draft202012Validator
from tests.trust.conftest import IDENTITY, ISSUER, statement
from tests.trust.private_sigstore import IN_TOTO, PrivateSigstore, b64, new_key, pae, pem_of

from adjudge.documents.model import Document, digest_of_files
from adjudge.documents.reading import Source
from adjudge.documents.signed_artifact import artifact_of, load
from adjudge.errors import InputError
from adjudge.trust import MAX_SIGNATURE_BYTES, TrustSettings

KEY = new_key()
SCHEMA = Draft202012Validator(
    json.loads(
        (resources.files("adjudge.documents") / "schemas/signed_artifact.json").read_text("utf-8")
    )
)


@pytest.fixture
def trusting(tmp_path: Path) -> TrustSettings:
    path = tmp_path / "key.pub"
    path.write_bytes(pem_of(KEY))
    return TrustSettings(keys=(path,))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "release"
    path.mkdir()
    return path


def sign(data: bytes) -> bytes:
    return KEY.sign(data, ec.ECDSA(hashes.SHA256()))


def envelope(payload: bytes) -> dict[str, Any]:
    signature = {"sig": b64(sign(pae(IN_TOTO, payload)))}
    return {"payload": b64(payload), "payloadType": IN_TOTO, "signatures": [signature]}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def model_statement(files: dict[str, bytes], **serialization: Any) -> bytes:
    """What OpenSSF model signing signs."""
    resources_ = [
        {"name": n, "algorithm": "sha256", "digest": sha256(d)} for n, d in sorted(files.items())
    ]
    whole = hashlib.sha256(b"".join(hashlib.sha256(d).digest() for _, d in sorted(files.items())))
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "model", "digest": {"sha256": whole.hexdigest()}}],
            "predicateType": "https://model_signing/signature/v1.0",
            "predicate": {
                "serialization": {
                    "method": "files",
                    "hash_type": "sha256",
                    "allow_symlinks": False,
                    "ignore_paths": [],
                    **serialization,
                },
                "resources": resources_,
            },
        }
    ).encode()


def check(folder: Path, name: str, trust: TrustSettings, **more: Any) -> Document:
    document = load(Source(folder, name), trust=trust, **more)
    errors = [f"{e.json_path}: {e.message}" for e in SCHEMA.iter_errors(document.facts)]
    assert errors == []
    return document


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".sig", ".dsse", ".dsse.json", ".intoto.jsonl", ".bundle"])
def test_file(suffix: str, folder: Path, trusting: TrustSettings) -> None:
    (folder / "model.bin").write_bytes(b"data")
    signature = sign(b"data") if suffix == ".sig" else json.dumps(envelope(statement(b"data")))
    raw = signature if isinstance(signature, bytes) else signature.encode()
    (folder / f"model.bin{suffix}").write_bytes(raw)
    document = check(folder, "model.bin", trusting)
    assert document.kind == "signed_artifact"
    assert document.digest == sha256(b"data")
    facts = document.facts
    assert facts["verified"], facts["reason"]
    assert facts["coverage"]["complete"]
    assert facts["signers"] == [{"kind": "key", "key_id": facts["signatures"][0]["key_id"]}]
    assert facts["signatures"][0]["path"] == f"model.bin{suffix}"
    (folder / "model.bin").write_bytes(b"datb")
    facts = check(folder, "model.bin", trusting).facts
    assert not facts["verified"]
    assert facts["coverage"]["covered"] == 0


def test_file_without_signature(folder: Path, trusting: TrustSettings) -> None:
    (folder / "a").write_bytes(b"")
    facts = check(folder, "a", trusting).facts
    assert facts["reason_code"] == "no_signature"
    assert not facts["verified"]


def test_signature_file_named_instead_of_the_artifact(
    folder: Path, trusting: TrustSettings
) -> None:
    (folder / "a").write_bytes(b"data")
    (folder / "a.sig").write_bytes(sign(b"data"))
    document = check(folder, "a.sig", trusting)
    assert document.path == "a"
    assert document.facts["verified"]
    assert artifact_of(Source(folder, "a")) is None
    (folder / "a").unlink()
    assert artifact_of(Source(folder, "a.sig")) is None


def test_given_bundle_alone_counts(folder: Path, trusting: TrustSettings) -> None:
    (folder / "a").write_bytes(b"data")
    (folder / "a.sig").write_bytes(sign(b"data"))
    (folder / "other").write_bytes(sign(b"other"))
    facts = check(folder, "a", trusting, bundle=Source(folder, "other")).facts
    assert not facts["verified"]
    assert [s["path"] for s in facts["signatures"]] == ["other"]


def test_keyless_bundle_and_positions(
    sigstore: PrivateSigstore, settings: TrustSettings, folder: Path
) -> None:
    (folder / "a").write_bytes(b"data")
    key, certificate = sigstore.issue(IDENTITY, ISSUER)
    bundle = sigstore.sign_artifact(b"data", key, certificate)
    (folder / "a.sigstore.json").write_text(json.dumps(bundle, indent=1))
    document = check(folder, "a", settings)
    facts = document.facts
    assert facts["verified"], facts["reason"]
    assert facts["signers"] == [{"kind": "sigstore", "identity": IDENTITY, "issuer": ISSUER}]
    assert facts["logged"]
    assert facts["signed_at"] == "2026-05-01T12:00:00Z"
    place = document.locate("/document/signatures/0/messageSignature/signature")
    assert place is not None
    assert place.file == "a.sigstore.json"
    line = (folder / "a.sigstore.json").read_text().splitlines()[place.line - 1]
    assert line.strip().startswith('"signature"')
    fact = document.locate("/facts/signatures/0/identity")
    assert fact is not None
    assert (fact.file, fact.line) == ("a.sigstore.json", 1)


def test_one_good_signature_among_bad_ones(folder: Path, trusting: TrustSettings) -> None:
    (folder / "a").write_bytes(b"data")
    (folder / "a.sigstore.json").write_text("{")
    (folder / "a.dsse").write_text("not json")
    (folder / "a.sig").write_bytes(sign(b"data"))
    facts = check(folder, "a", trusting).facts
    assert facts["verified"]
    assert facts["reason_code"] == "verified"
    assert [s["verified"] for s in facts["signatures"]] == [False, False, True]


def test_oversized_and_strange_signature_files(folder: Path, trusting: TrustSettings) -> None:
    (folder / "a").write_bytes(b"data")
    with (folder / "a.sig").open("wb") as file:
        file.truncate(MAX_SIGNATURE_BYTES + 1)
    (folder / "a.dsse").mkdir()
    (folder / "a.bundle").symlink_to("a.nothing")
    facts = check(folder, "a", trusting).facts
    assert [s["reason_code"] for s in facts["signatures"]] == ["too_large"]


def test_missing_artifact(folder: Path, trusting: TrustSettings) -> None:
    with pytest.raises(InputError) as caught:
        load(Source(folder, "nothing"), trust=trusting)
    assert caught.value.code == "file_not_found"


# --- directories ------------------------------------------------------------------------------

FILES = {"config.json": b"{}", "weights/a.safetensors": b"aaa", "weights/b.safetensors": b"bbb"}


@pytest.fixture
def model(folder: Path) -> Path:
    path = folder / "model"
    for name, data in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def signed(model: Path, payload: bytes) -> None:
    (model / "model.sig").write_text(json.dumps(envelope(payload)))


def test_directory(folder: Path, model: Path, trusting: TrustSettings) -> None:
    signed(model, model_statement(FILES))
    document = check(folder, "model", trusting)
    facts = document.facts
    assert facts["verified"], facts["reason"]
    assert facts["coverage"]["complete"]
    assert facts["coverage"]["percent"] == 100
    assert facts["artifact"]["files"] == 3
    records = [{"path": n, "sha256": sha256(d)} for n, d in FILES.items()]
    assert document.digest == digest_of_files(records)
    assert sorted(f["path"] for f in document.files) == sorted(FILES)
    # Signing again does not change what is signed.
    signed(model, model_statement(FILES, ignore_paths=["x"]))
    again = check(folder, "model", trusting)
    assert again.digest == document.digest
    assert again.facts["coverage"]["ignored_paths"] == ["x"]


def _change(model: Path) -> None:
    (model / "config.json").write_bytes(b"{ }")


def _remove(model: Path) -> None:
    (model / "weights/b.safetensors").unlink()


def _replace_by_link(model: Path) -> None:
    (model / "weights/b.safetensors").unlink()
    (model / "weights/b.safetensors").symlink_to("a.safetensors")


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (_change, {"changed_files": ["config.json"]}),
        (_remove, {"missing_files": ["weights/b.safetensors"]}),
        (_replace_by_link, {"changed_files": ["weights/b.safetensors"]}),
    ],
)
def test_changed_directory(
    spoil: Callable[[Path], None],
    where: dict[str, list[str]],
    folder: Path,
    model: Path,
    trusting: TrustSettings,
) -> None:
    signed(model, model_statement(FILES))
    spoil(model)
    facts = check(folder, "model", trusting).facts
    assert not facts["verified"]
    assert not facts["authentic"]
    assert facts["reason_code"] == "files_changed"
    assert facts["coverage"]["covered"] == 0
    assert facts["coverage"] | where == facts["coverage"]


def test_files_nobody_signed(folder: Path, model: Path, trusting: TrustSettings) -> None:
    signed(model, model_statement(FILES))
    (model / "evil.py").write_text("x")
    (model / "link").symlink_to("config.json")
    coverage = check(folder, "model", trusting).facts["coverage"]
    assert coverage["unsigned_files"] == ["evil.py"]
    assert coverage["symlinks"] == ["link"]
    assert coverage["covered"] == 3
    assert not coverage["complete"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda s: s["predicate"]["serialization"].update(method="tar"), "serialization"),
        (lambda s: s["predicate"]["serialization"].update(hash_type="md5"), "serialization"),
        (lambda s: s["predicate"]["serialization"].update(method="shards"), "statement"),
        (lambda s: s["predicate"]["resources"][0].update(algorithm="blake3"), "statement"),
        (lambda s: s["predicate"]["resources"][0].update(name="../config.json"), "statement"),
        (lambda s: s["predicate"]["resources"][0].update(name="/config.json"), "statement"),
        (lambda s: s["predicate"]["resources"][0].update(digest="zz"), "statement"),
        (lambda s: s["predicate"]["resources"][0].update(digest="00" * 32), "statement"),
        (lambda s: s["predicate"]["resources"].append(s["predicate"]["resources"][0]), "statement"),
        (lambda s: s["predicate"].update(resources=[]), "statement"),
        (lambda s: s["predicate"].update(resources=5), "statement"),
        (lambda s: s.update(predicate=None), "statement"),
        (lambda s: s["subject"][0]["digest"].update(sha256="0" * 64), "statement"),
        (lambda s: s["predicate"]["serialization"].update(ignore_paths=[5]), "statement"),
    ],
)
def test_statement_that_contradicts_itself(
    change: Callable[[Any], None],
    code: str,
    folder: Path,
    model: Path,
    trusting: TrustSettings,
) -> None:
    value = json.loads(model_statement(FILES))
    change(value)
    signed(model, json.dumps(value).encode())
    facts = check(folder, "model", trusting).facts
    assert facts["reason_code"].startswith(code)
    assert not facts["authentic"]


def test_directory_needs_a_statement(folder: Path, model: Path, trusting: TrustSettings) -> None:
    (model / "model.sig").write_bytes(sign(b"x"))
    assert check(folder, "model", trusting).facts["reason_code"] == "unsupported_format"


def test_provenance_over_some_files(folder: Path, model: Path, trusting: TrustSettings) -> None:
    subjects = [{"name": "config.json", "digest": {"sha256": sha256(b"{}")}}]
    payload = statement(b"", "https://slsa.dev/provenance/v1", subject=subjects)
    (folder / "model.intoto.jsonl").write_text(json.dumps(envelope(payload)))
    facts = check(folder, "model", trusting).facts
    assert facts["verified"], facts["reason"]
    assert facts["predicate_types"] == ["https://slsa.dev/provenance/v1"]
    assert facts["coverage"]["covered"] == 1
    assert len(facts["coverage"]["unsigned_files"]) == 2
    (model / "config.json").write_bytes(b"other")
    assert check(folder, "model", trusting).facts["reason_code"] == "files_changed"
    (model / "config.json").unlink()
    assert check(folder, "model", trusting).facts["reason_code"] == "subject_mismatch"


def test_untrusted_signer_covers_nothing(
    folder: Path, model: Path, trusting: TrustSettings
) -> None:
    signed(model, model_statement(FILES))
    facts = check(folder, "model", dataclasses.replace(trusting, keys=())).facts
    assert facts["reason_code"] == "no_trusted_key"
    assert facts["coverage"]["covered"] == 0


def test_file_names_with_line_ends_and_wild_bytes(
    folder: Path, model: Path, trusting: TrustSettings
) -> None:
    signed(model, model_statement(FILES))
    (model / "a\nb").write_bytes(b"")
    (Path(str(model)) / "c\udcff").write_bytes(b"")
    coverage = check(folder, "model", trusting).facts["coverage"]
    assert coverage["unsigned_files"] == ["a\\nb", "c\\xff"]
    json.dumps(coverage).encode()
