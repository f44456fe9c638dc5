"""Models signed by the OpenSSF's own tool, read by ours; and what of them may not be changed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec
from tests.trust.private_sigstore import b64, new_key, pae, pem_of

from adjudge.documents.reading import Source
from adjudge.documents.signed_artifact import load
from adjudge.trust import TrustSettings

hashing = pytest.importorskip("model_signing.hashing", reason="model-signing is not installed")
signing = pytest.importorskip("model_signing.signing", reason="model-signing is not installed")

KEY = new_key()
METHODS: dict[str, Callable[[Any], Any]] = {
    "sha256": lambda h: h.use_file_serialization(hashing_algorithm="sha256"),
    "blake2": lambda h: h.use_file_serialization(hashing_algorithm="blake2"),
    "blake3": lambda h: h.use_file_serialization(hashing_algorithm="blake3"),
    "shards": lambda h: h.use_shard_serialization(hashing_algorithm="sha256", shard_size=1000),
}


@pytest.fixture(scope="module", params=sorted(METHODS))
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed model with a key beside it."""
    folder = tmp_path_factory.mktemp(request.param)
    model = folder / "model"
    (model / "sub").mkdir(parents=True)
    (model / "a.bin").write_bytes(bytes(n % 251 for n in range(2500)))
    (model / "sub/b.json").write_bytes(b"{}")
    (model / "c").write_bytes(b"y" * 1000)
    private = folder / "key.pem"
    private.write_bytes(
        KEY.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
    )
    (folder / "key.pub").write_bytes(pem_of(KEY))
    config = hashing.Config()
    METHODS[request.param](config)
    config.set_ignored_paths(paths=[model / "model.sig"])
    signer = signing.Config().use_elliptic_key_signer(private_key=private)
    signer.set_hashing_config(config).sign(model, model / "model.sig")
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "copy"))


def facts_of(folder: Path) -> dict[str, Any]:
    trust = TrustSettings(keys=(folder / "key.pub",))
    return load(Source(folder, "model"), trust=trust).facts


def test_as_signed(folder: Path) -> None:
    facts = facts_of(folder)
    assert facts["verified"], facts["reason"]
    assert facts["coverage"]["complete"]
    assert facts["coverage"]["percent"] == 100.0
    assert ".git" in facts["coverage"]["ignored_paths"]


def _flip(model: Path, at: int) -> None:
    data = bytearray((model / "a.bin").read_bytes())
    data[at] ^= 1
    (model / "a.bin").write_bytes(data)


def _swap_shards(model: Path) -> None:
    data = (model / "a.bin").read_bytes()
    (model / "a.bin").write_bytes(data[1000:2000] + data[:1000] + data[2000:])


def _link(model: Path) -> None:
    (model / "c").rename(model.parent / "elsewhere")
    (model / "c").symlink_to("../elsewhere")


CHANGES: dict[str, Callable[[Path], object]] = {
    "first byte": lambda m: _flip(m, 0),
    "last byte": lambda m: _flip(m, 2499),
    "shards swapped": _swap_shards,
    "cut": lambda m: (m / "a.bin").write_bytes((m / "a.bin").read_bytes()[:2000]),
    "longer": lambda m: (m / "a.bin").write_bytes((m / "a.bin").read_bytes() + b"x"),
    "removed": lambda m: (m / "c").unlink(),
    "renamed": lambda m: (m / "c").rename(m / "d"),
    "a link to the same bytes": _link,
    "two files swapped": lambda m: (
        (m / "c").rename(m / "t"),
        (m / "sub/b.json").rename(m / "c"),
        (m / "t").rename(m / "sub/b.json"),
    ),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_changed(folder: Path, change: str) -> None:
    CHANGES[change](folder / "model")
    facts = facts_of(folder)
    assert not facts["verified"]
    assert facts["reason_code"] == "files_changed"
    assert facts["coverage"]["covered"] == 0
    assert not facts["coverage"]["complete"]


@pytest.mark.parametrize("name", ["extra.py", ".gitignore", ".git/hooks/pre-commit", "empty"])
def test_added(folder: Path, name: str) -> None:
    added = folder / "model" / name
    added.parent.mkdir(parents=True, exist_ok=True)
    added.write_bytes(b"" if name == "empty" else b"x")
    coverage = facts_of(folder)["coverage"]
    assert coverage["unsigned_files"] == [name]
    assert coverage["percent"] == 75.0
    assert not coverage["complete"]


def test_another_key(folder: Path) -> None:
    (folder / "key.pub").write_bytes(pem_of(new_key()))
    assert facts_of(folder)["reason_code"] == "key_not_trusted"


def test_signature_of_another_model(folder: Path, tmp_path: Path) -> None:
    bundle = json.loads((folder / "model/model.sig").read_text())
    bundle["dsseEnvelope"]["payload"] = bundle["dsseEnvelope"]["payload"][:-8]
    (folder / "model/model.sig").write_text(json.dumps(bundle))
    assert not facts_of(folder)["authentic"]


# --- the layout before 1.0 ----------------------------------------------------------------------


def old_statement(model: Path, **names: str) -> bytes:
    """What version 0.2 signed: every file is a subject."""
    subjects = [
        {
            "name": names.get(path.name, path.relative_to(model).as_posix()),
            "digest": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        }
        for path in sorted(model.rglob("*"))
        if path.is_file() and path.name != "model.sig"
    ]
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": subjects,
            "predicateType": "https://model_signing/Digests/v0.1",
            "predicate": {"unused": "Unused, just passed due to API requirements"},
        }
    ).encode()


def sign_old(folder: Path, payload: bytes, *, old_form: bool) -> None:
    kind = "application/vnd.in-toto+json"
    if old_form:
        signed = f"DSSEV1 {len(kind)} {kind} {len(payload)} {payload!r}".encode()
    else:
        signed = pae(kind, payload)
    signature = KEY.sign(signed, ec.ECDSA(hashes.SHA256()))
    bundle = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": ""}},
        "dsseEnvelope": {
            "payload": b64(payload),
            "payloadType": kind,
            "signatures": [{"sig": b64(signature), "keyid": ""}],
        },
    }
    (folder / "model/model.sig").write_text(json.dumps(bundle))


@pytest.mark.parametrize("old_form", [True, False])
def test_older_layout(folder: Path, old_form: bool) -> None:
    model = folder / "model"
    sign_old(folder, old_statement(model), old_form=old_form)
    facts = facts_of(folder)
    assert facts["verified"], facts["reason"]
    assert facts["coverage"]["complete"]
    (model / "c").rename(model / "d")
    assert facts_of(folder)["reason_code"] == "files_changed"
    (model / "d").rename(model / "c")
    (model / "extra").write_text("x")
    assert facts_of(folder)["coverage"]["unsigned_files"] == ["extra"]
    sign_old(folder, old_statement(model, c="../c"), old_form=old_form)
    assert facts_of(folder)["reason_code"] == "statement_invalid"


def test_the_old_form_is_for_the_old_layout_only(folder: Path) -> None:
    payload = old_statement(folder / "model").replace(b"Digests/v0.1", b"Digests/v0.9")
    sign_old(folder, payload, old_form=True)
    assert facts_of(folder)["reason_code"] == "key_not_trusted"
