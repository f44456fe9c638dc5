"""Weight files of every format, archives, and model directories."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import random
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.weights.conftest import (
    HARMFUL,
    HARMLESS,
    Look,
    checked,
    codes,
    gguf,
    gguf_text,
    npy,
    safetensors,
    zipped,
)

from adjudge.documents import weights_archive
from adjudge.documents.model import digest_of_files
from adjudge.documents.reading import Source
from adjudge.documents.weights import load
from adjudge.errors import InputError

HDF5 = b"\x89HDF\r\n\x1a\n"


@pytest.mark.parametrize(
    ("name", "data", "kind", "executable"),
    [
        ("m.pkl", pickle.dumps({"a": 1}), "pickle", False),
        ("m.pkl", pickle.dumps({"a": 1}, protocol=0), "pickle", False),
        ("m.pkl", HARMFUL, "pickle", True),
        ("m.pkl", b"no pickle", "pickle", True),
        ("weights", HARMFUL, "pickle", True),
        ("m.data", pickle.dumps(print, protocol=0), "pickle", True),
        ("m.safetensors.pt", HARMFUL, "pickle", True),
        ("m.joblib", pickle.dumps([1]), "joblib", False),
        ("m.joblib", b"\x78\x9cabc", "compressed_pickle", True),
        ("m.pkl.gz", b"\x1f\x8babc", "compressed_pickle", True),
        ("m.7z", b"7z\xbc\xaf\x27\x1cabc", "archive", True),
        ("m.tar", bytes(257) + b"ustar\x0000" + bytes(300), "archive", True),
        ("m.onnx", b"\x08\x07\x12\x04test", "onnx", False),
        ("saved_model.pb", b"\x08\x01\x12", "tf_saved_model", False),
        ("m.tflite", bytes(4) + b"TFL3" + bytes(20), "tflite", False),
        ("m.h5", HDF5 + bytes(50), "keras_hdf5", False),
        ("m.h5", HDF5 + bytes(50) + b'{"class_name": "Lambda"}', "keras_hdf5", True),
        ("m.dat", HDF5 + bytes(50), "hdf5", False),
        ("m.bin", os.urandom(64) + b"\xff" * 64, "unknown", False),
        ("m.bin", b"", "empty", False),
    ],
)
def test_format(name: str, data: bytes, kind: str, executable: bool, look: Look) -> None:
    facts = look(data, name)
    assert facts["format"] == kind
    assert facts["executable"] == executable
    assert facts["files"][0]["sha256"] == hashlib.sha256(data).hexdigest()
    assert facts["well_formed"] == (codes(facts) in ([], ["pickle_import"], ["keras_code"]))


def test_torch_archive(look: Look) -> None:
    members = {"m/data.pkl": HARMLESS, "m/data/0": b"\x80\x02" + bytes(30), "m/version": b"3\n"}
    facts = look(zipped(members), "m.pt")
    assert facts["format"] == "torch_zip"
    assert facts["pickle"]
    assert not facts["executable"]
    assert facts["well_formed"]
    assert facts["globals"][0]["path"] == "m.pt!m/data.pkl"
    bad = look(zipped({**members, "m/data.pkl": HARMFUL}), "m.bin")
    assert bad["executable"]
    assert bad["disallowed_globals"] == ["os.system"]
    assert codes(bad) == ["pickle_import"]


@pytest.mark.parametrize("name", ["m/data.txt", "m/other", "deep/er/x.PKL", "data/0.pkl"])
def test_hidden_pickle_in_an_archive(name: str, look: Look) -> None:
    members = {"m/data.pkl": HARMLESS, name: HARMFUL}
    facts = look(zipped(members, zipfile.ZIP_DEFLATED), "m.pt")
    assert facts["executable"]
    assert facts["disallowed_globals"] == ["os.system"]


def test_wrong_checksum_does_not_hide_a_pickle(look: Look) -> None:
    data = zipped({"m/data.pkl": HARMFUL})
    stored = zipfile.ZipFile(io.BytesIO(data)).getinfo("m/data.pkl").CRC
    crc = stored.to_bytes(4, "little")
    assert data.count(crc) == 2
    assert look(data.replace(crc, b"\0\0\0\0"), "m.pt")["disallowed_globals"] == ["os.system"]


def test_torchscript_and_encrypted_archives(look: Look) -> None:
    script = zipped({"m/data.pkl": HARMLESS, "m/code/__torch__.py": b"x"})
    assert "torchscript_code" in codes(look(script, "m.pt"))
    data = bytearray(zipped({"m/data.pkl": HARMLESS}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    facts = look(bytes(data), "m.pt")
    assert codes(facts) == ["archive_encrypted"]
    assert facts["executable"]


def test_archive_that_is_no_archive(look: Look) -> None:
    facts = look(b"PK\x03\x04" + bytes(60), "m.pt")
    assert codes(facts) == ["archive_invalid"]
    assert facts["executable"]
    assert not facts["well_formed"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../evil", "archive_path_escape"),
        ("a/../../evil", "archive_path_escape"),
        ("/etc/passwd", "archive_path_escape"),
        ("..\\evil", "archive_path_escape"),
        ("C:\\evil", "archive_path_escape"),
    ],
)
def test_members_that_lead_out(name: str, code: str, look: Look) -> None:
    facts = look(zipped({name: b"x", "data.pkl": HARMLESS}), "m.pt")
    assert codes(facts) == [code]
    assert not facts["well_formed"]


def test_links_and_doubles_in_archives(look: Look) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("data.pkl", HARMLESS)
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("data.pkl", HARMFUL)
    facts = look(buffer.getvalue(), "m.pt")
    assert sorted(codes(facts)) == ["archive_duplicate", "archive_symlink", "pickle_import"]
    assert facts["executable"]


def test_archive_bomb(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped({"data.pkl": bytes(20_000_000)}, zipfile.ZIP_DEFLATED)
    facts = look(bomb, "m.pt")
    assert codes(facts) == ["archive_bomb"]
    assert facts["executable"]
    monkeypatch.setattr(weights_archive, "MAX_MEMBERS", 3)
    many = look(zipped({str(n): b"" for n in range(4)}), "m.zip")
    assert codes(many) == ["archive_too_large"]


def test_random_damage_never_raises(look: Look) -> None:
    chance = random.Random(11)
    members = {"m/data.pkl": HARMLESS * 20, "m/data/0": bytes(200), "a.npy": npy("'<f4'")}
    data = zipped(members, zipfile.ZIP_DEFLATED)
    for _ in range(400):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        look(bytes(changed), "m.pt")


def test_numpy_archive(look: Look) -> None:
    good = look(zipped({"a.npy": npy("'<f4'"), "b.npy": npy("'<f8'", "(1,)")}), "m.npz")
    assert (good["format"], good["executable"]) == ("numpy_zip", False)
    bad = look(zipped({"a.npy": npy("'|O'", data=HARMFUL)}), "m.npz")
    assert bad["disallowed_globals"] == ["os.system"]


def test_keras_archive(look: Look) -> None:
    def keras(layer: dict[str, Any]) -> bytes:
        config = {"module": "keras", "class_name": "Sequential", "config": {"layers": [layer]}}
        return zipped({"config.json": json.dumps(config).encode(), "model.weights.h5": HDF5})

    dense = {"module": "keras.layers", "class_name": "Dense"}
    assert not look(keras(dense), "m.keras")["executable"]
    for layer in (
        {"module": "keras.layers", "class_name": "Lambda"},
        {"module": "evil", "class_name": "X"},
        {**dense, "config": {"fn": {"class_name": "__lambda__"}}},
    ):
        facts = look(keras(layer), "m.keras")
        assert facts["executable"]
        assert codes(facts) == ["keras_code"]
    broken = look(zipped({"config.json": b"{", "model.weights.h5": b""}), "m.keras")
    assert codes(broken) == ["keras_config_unreadable"]
    assert broken["executable"]


# --- directories ------------------------------------------------------------------------------


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    path.mkdir()
    (path / "config.json").write_text('{"model_type": "llama"}')
    (path / "a.safetensors").write_bytes(safetensors())
    (path / "b.safetensors").write_bytes(safetensors())
    (path / "README.md").write_text("# model")
    return path


def facts_of(model: Path) -> dict[str, Any]:
    return checked(Source(model.parent, "model")).facts


def test_directory(model: Path) -> None:
    document = checked(Source(model.parent, "model"))
    facts = document.facts
    assert (facts["format"], facts["formats"]) == ("safetensors", ["safetensors"])
    assert facts["well_formed"]
    assert not facts["executable"]
    assert (facts["tensors"], facts["parameters"], facts["dtypes"]) == (2, 4, {"F32": 2})
    assert [f["path"] for f in facts["files"]] == ["a.safetensors", "b.safetensors"]
    assert facts["remote_code"] == {"enabled": False, "switches": [], "scripts": []}
    assert {f["path"] for f in document.files} == {p.name for p in model.iterdir()}
    assert document.digest == digest_of_files(document.files) == facts["sha256"]


def test_one_bad_file_among_good_ones(model: Path) -> None:
    (model / "extra.txt").write_bytes(HARMFUL)
    facts = facts_of(model)
    assert facts["executable"]
    assert facts["format"] == "mixed"
    assert facts["disallowed_globals"] == ["os.system"]
    (model / "extra.txt").unlink()
    (model / "b.safetensors").write_bytes(safetensors(data=b""))
    assert not facts_of(model)["well_formed"]


def test_remote_code(model: Path) -> None:
    config = {"auto_map": {"AutoModel": "modeling.M"}, "nested": {"trust_remote_code": True}}
    (model / "config.json").write_text(json.dumps(config, indent=1))
    (model / "modeling.py").write_text("x")
    (model / "sub").mkdir()
    (model / "sub/lib.so").write_bytes(b"\x7fELF")
    document = checked(Source(model.parent, "model"))
    remote = document.facts["remote_code"]
    assert remote["enabled"]
    assert remote["scripts"] == ["modeling.py", "sub/lib.so"]
    assert [(s["path"], s["key"]) for s in remote["switches"]] == [
        ("config.json", "auto_map"),
        ("config.json", "trust_remote_code"),
    ]
    place = document.locate("/facts/remote_code/switches/1/value")
    assert place is not None
    assert place.file == "model/config.json"
    assert '"trust_remote_code": true' in str(document.excerpt(place))


@pytest.mark.parametrize("value", ["false", "null", '""', "{}"])
def test_switch_that_is_off(model: Path, value: str) -> None:
    (model / "config.json").write_text(f'{{"trust_remote_code": {value}}}')
    assert not facts_of(model)["remote_code"]["enabled"]


@pytest.mark.parametrize("text", ["{", '{"a":1,"a":2}', '{"auto_map"'])
def test_config_that_cannot_be_read(model: Path, text: str) -> None:
    (model / "tokenizer_config.json").write_text(text)
    assert [p["path"] for p in facts_of(model)["problems"]] == ["tokenizer_config.json"]


def test_chat_templates(model: Path) -> None:
    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    (model / "tokenizer_config.json").write_text(json.dumps({"chat_template": "one"}))
    (model / "chat_template.jinja").write_text("two")
    (model / "x.gguf").write_bytes(gguf({"tokenizer.chat_template": gguf_text("three")}))
    facts = facts_of(model)
    assert facts["chat_template_digest"] == digest("one")
    assert facts["chat_template_digests"] == sorted(map(digest, ("one", "two", "three")))
    named = [{"name": "default", "template": "a"}, {"name": "tool", "template": "b"}]
    (model / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    assert digest("b") in facts_of(model)["chat_template_digests"]


def test_links_are_listed_and_not_followed(model: Path) -> None:
    (model / "link.bin").symlink_to("a.safetensors")
    (model / "out.bin").symlink_to("/etc/hostname")
    facts = facts_of(model)
    assert facts["symlinks"] == ["link.bin", "out.bin"]
    assert len(facts["files"]) == 2


def test_directory_without_weights(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/a.txt").write_text("x")
    facts = facts_of(tmp_path / "model")
    assert facts["format"] == "none"
    assert not facts["well_formed"]
    assert facts["files"] == []


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(Source(tmp_path, "no.bin"))
    assert caught.value.code == "file_not_found"
