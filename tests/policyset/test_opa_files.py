"""Files and bundles as OPA loads them, beside the real OPA; archives that are hostile."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from adjudge.errors import AdjudgeError, InputError
from adjudge.policyset import opa_bundles
from adjudge.policyset.opa_bundles import read_bundle
from adjudge.policyset.opa_files import load_opa_files, load_schemas, read_any
from adjudge.rego.runtime.text import to_json

Write = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes files into the current folder."""
    monkeypatch.chdir(tmp_path)

    def put(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return put


@pytest.fixture
def opa() -> str:
    """The real OPA."""
    installed = str(Path.home() / "go" / "bin" / "opa")
    found = shutil.which("opa") or installed
    if not Path(found).exists():
        pytest.skip("opa is not installed")
    return found


TREE = {
    "top.json": '{"a": {"x": 1}, "big": 12345678901234567890, "f": 1.10}',
    "a/data.json": '{"y": [1, 2]}',
    "a/b/more.yaml": "z: {k: v}\nbase: &b {m: 1}\nuse: {<<: *b, n: 2}\n",
    "a/b/c.yml": "w: 2024-01-02\n",
    ".hidden/data.json": '{"h": true}',
    "notes.txt": "not loaded",
    "p/p.rego": "package p\n\nq := data.a.b.z.k\n",
}


@pytest.mark.parametrize(
    "words",
    [
        ("-d", "."),
        ("-d", "a"),
        ("-d", "x.y:a"),
        ("-d", "data.x:top.json"),
        ("-d", "a/data.json", "-d", "top.json"),
        ("-d", ".", "--ignore", ".*"),
        ("-d", ".", "--ignore", "b"),
        ("-d", "file:a/data.json"),
        ("-b", "."),
        ("-d", "notes.txt"),
    ],
    ids=" ".join,
)
def test_data_is_that_of_opa(write: Write, opa: str, words: tuple[str, ...]) -> None:
    write(TREE)
    done = subprocess.run([opa, "eval", "-f", "raw", *words, "data"], capture_output=True)
    pairs = list(zip(words[::2], words[1::2], strict=True))
    named = {key: [v for k, v in pairs if k == key] for key in ("-d", "-b", "--ignore")}

    def load() -> Any:
        files = load_opa_files(named["-d"], bundles=named["-b"], ignore=named["--ignore"])
        return to_json(files.data)

    if done.returncode:
        with pytest.raises(AdjudgeError):
            load()
        return
    theirs = json.loads(done.stdout)
    theirs.pop("p", None)
    assert json.loads(json.dumps(load())) == theirs


def test_documents_that_claim_one_place(write: Write) -> None:
    write({"a.json": '{"x": {"y": 1}}', "b.json": '{"x": {"y": 2}}'})
    with pytest.raises(InputError) as raised:
        load_opa_files(["."])
    assert raised.value.code == "data_conflict"
    assert "data.x.y" in raised.value.message
    assert "a.json" in raised.value.message


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"a.json": "[1]"}, "data_not_object"),
        ({"a.json": "{"}, "invalid_json"),
        ({"a.yaml": "a: ["}, "invalid_yaml"),
        ({"a.unknown": "}{"}, "unknown_file_type"),
    ],
)
def test_files_that_cannot_be_read(write: Write, files: dict[str, str], code: str) -> None:
    write(files)
    with pytest.raises(InputError) as raised:
        load_opa_files(list(files))
    assert raised.value.code == code


def test_bytes_that_are_no_text(write: Write) -> None:
    (write({}) / "a.rego").write_bytes(b"package a\xff")
    with pytest.raises(InputError, match="not UTF-8"):
        load_opa_files(["a.rego"])


def test_a_folder_in_itself_ends(write: Write) -> None:
    folder = write({"a/b.rego": "package b\n"})
    (folder / "a" / "loop").symlink_to(folder / "a", target_is_directory=True)
    with pytest.raises(InputError) as raised:
        load_opa_files(["a"])
    assert raised.value.code == "symlink_loop"


def test_what_is_json_or_yaml(write: Write) -> None:
    folder = write({"a": '{"x": 1}', "b": "x: 1\n", "c": '{"x": }', "d": "x: ["})
    assert [read_any(folder / name) for name in "abc"] == [{"x": 1}, {"x": 1}, {"x": None}]
    with pytest.raises(InputError):
        read_any(folder / "d")


def test_schemas(write: Write) -> None:
    folder = write({"s/a.json": '{"type": "object"}', "s/b/c.yaml": "type: string\n"})
    assert load_schemas("s/a.json") == {"": {"type": "object"}}
    assert load_schemas(str(folder / "s")) == {"a": {"type": "object"}, "b.c": {"type": "string"}}
    with pytest.raises(InputError):
        load_schemas("nowhere")


# -- bundles -------------------------------------------------------------------------------


def archive(path: Path, files: Mapping[str, bytes]) -> Path:
    """A gzipped tar archive."""
    with tarfile.open(path, "w:gz") as out:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            out.addfile(entry, io.BytesIO(content))
    return path


def test_an_archive_is_read_as_a_folder_is(tmp_path: Path) -> None:
    files = {
        ".manifest": b'{"roots": ["a", "p"]}',
        "/a/data.json": b'{"x": 1}',
        "./p/p.rego": b"package p\n\nq := data.a.x\n",
        "a/other.json": b"not data",
    }
    bundle = read_bundle(archive(tmp_path / "b.tar.gz", files))
    assert bundle.data == {"a": {"x": 1}}
    assert [name.rpartition("/")[2] for name in bundle.modules] == ["p.rego"]
    assert bundle.roots == ("a", "p")


@pytest.mark.parametrize(
    "files",
    [
        {"../a/data.json": b"{}"},
        {"a/data.json": b"{}", "/a/data.json": b"{}"},
        {".manifest": b"[]"},
        {".manifest": b'{"roots": 1}'},
        {".manifest": b'{"rego_version": 7}'},
        {".manifest": b'{"roots": ["a"]}', "b/data.json": b'{"x": 1}'},
        {".manifest": b'{"roots": ["a"]}', "b.rego": b"package b\n"},
        {"data.json": b"[1]"},
        {"data.json": b'{"a": 1}', "a/data.json": b'{"x": 1}'},
        {"patch.json": b"{}"},
        {"p.rego": b"package"},
    ],
    ids=str,
)
def test_bundles_that_are_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    path = archive(tmp_path / "b.tar.gz", files)
    with pytest.raises(AdjudgeError):
        read_bundle(path)


@pytest.mark.parametrize(
    "content", [b"", b"no archive", gzip.compress(b"no tar", mtime=0), b"\x1f\x8b"]
)
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b.tar.gz"
    path.write_bytes(content)
    with pytest.raises(InputError):
        load_opa_files([], bundles=[str(path)])


def test_archives_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opa_bundles, "MAX_FILE_BYTES", 100)
    with pytest.raises(InputError, match="more than 100 bytes"):
        read_bundle(archive(tmp_path / "a.tar.gz", {"data.json": b" " * 101}))
    monkeypatch.setattr(opa_bundles, "MAX_FILES", 2)
    names = {f"f{n}.txt": b"" for n in range(3)}
    with pytest.raises(InputError, match="more than 2 files"):
        read_bundle(archive(tmp_path / "b.tar.gz", names))


def test_links_in_an_archive_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "b.tar.gz"
    with tarfile.open(path, "w:gz") as out:
        entry = tarfile.TarInfo("data.json")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        out.addfile(entry)
    assert read_bundle(path).data == {}


def test_roots_of_two_bundles_may_not_overlap(tmp_path: Path) -> None:
    one = archive(tmp_path / "1.tar.gz", {".manifest": b'{"roots": ["a/b"]}'})
    two = archive(tmp_path / "2.tar.gz", {".manifest": b'{"roots": ["a"]}'})
    with pytest.raises(InputError) as raised:
        load_opa_files([], bundles=[str(one), str(two)])
    assert raised.value.code == "bundle_roots_overlap"


def test_rego_versions_of_a_bundle(tmp_path: Path) -> None:
    files = {
        ".manifest": b'{"rego_version": 0, "file_rego_versions": {"/new/*.rego": 1}}',
        "old.rego": b"package old\n\np { true }\n",
        "new/new.rego": b"package new\n\np if true\n",
    }
    bundle = read_bundle(archive(tmp_path / "b.tar.gz", files))
    assert len(bundle.modules) == 2
