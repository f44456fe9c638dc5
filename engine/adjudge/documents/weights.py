"""Weight files and model directories: what they are, whether they are sound, what they would
run.  Nothing is loaded, unpickled or executed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from adjudge.documents.hashing import WORKERS
from adjudge.documents.model import (
    DEFAULT_LIMITS,
    Document,
    Limits,
    Origin,
    Problem,
    digest_of_files,
    file_record,
    nowhere,
)
from adjudge.documents.picklefacts import (
    MAX_PICKLE_BYTES,
    PICKLE_STARTS,
    PickleFacts,
    scan_pickle,
    shown,
)
from adjudge.documents.reading import FileDigest, Source, shown_name
from adjudge.documents.weights_archive import ZIP_ERRORS, ArchiveFacts, read_archive
from adjudge.documents.weights_code import RemoteCode, keras_lambdas, look_for_code
from adjudge.documents.weights_headers import (
    BadHeader,
    Header,
    read_gguf,
    read_numpy,
    read_safetensors,
)
from adjudge.documents.weights_onnx import read_onnx

__all__ = ["KIND", "WEIGHT_SUFFIXES", "load"]

KIND: Final = "weights"
WEIGHT_SUFFIXES: Final = (
    ".safetensors",
    ".gguf",
    ".ggml",
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".pkl",
    ".pickle",
    ".joblib",
    ".npy",
    ".npz",
    ".onnx",
    ".h5",
    ".hdf5",
    ".keras",
    ".tflite",
    ".msgpack",
    ".pb",
    ".dat",
    ".mar",
    ".nemo",
    ".zip",
    ".7z",
    ".tar",
    ".gz",
)
"""Endings of files that are looked at as weights in a directory."""

_PICKLE_SUFFIXES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt")
_PACKED = {
    b"7z\xbc\xaf\x27\x1c": "archive",
    b"\x1f\x8b": "compressed_pickle",
    b"BZh": "compressed_pickle",
    b"\xfd7zXZ\x00": "compressed_pickle",
    b"\x28\xb5\x2f\xfd": "compressed_pickle",
    b"\x04\x22\x4d\x18": "compressed_pickle",
    b"\x78\x01": "compressed_pickle",
    b"\x78\x5e": "compressed_pickle",
    b"\x78\x9c": "compressed_pickle",
    b"\x78\xda": "compressed_pickle",
}
_START = 512
_STARTS = (b"GGUF", b"\x93NUMPY", b"PK\x03\x04", b"\x89HDF", *PICKLE_STARTS)
_SAMPLE = 1 << 20


@dataclass
class _File:
    """What is known about one weight file."""

    path: str
    sha256: str
    size: int
    format: str = "unknown"
    well_formed: bool = False
    executable: bool = False
    pickle: bool = False
    header: Header | None = None
    problems: list[dict[str, str]] = field(default_factory=list)
    globals: list[dict[str, Any]] = field(default_factory=list)

    def _place(self, member: str) -> str:
        return f"{self.path}!{shown_name(member)}" if member else self.path

    def report(self, code: str, message: str, member: str = "") -> None:
        """Note a problem of the file or of a member of the archive it is."""
        path = self._place(member)
        self.problems.append({"code": code, "message": message[:300], "path": path})

    def note_pickle(self, found: PickleFacts, member: str = "") -> None:
        """Take over what a pickle imports."""
        path = self._place(member)
        self.pickle = True
        self.executable = self.executable or found.executable
        harmful = set(found.harmful())
        for pair in sorted(found.imports):
            self.globals.append(
                {"module": pair[0], "name": pair[1], "allowed": pair not in harmful, "path": path}
            )
        for error in found.errors:
            self.report("pickle_unreadable", error, member)
        if harmful:
            names = ", ".join(shown(harmful)[:5])
            self.report("pickle_import", f"unpickling imports {names}", member)

    def as_facts(self) -> dict[str, Any]:
        """The file as policies see it."""
        header = self.header or Header(self.format)
        facts: dict[str, Any] = {
            "path": self.path,
            "format": self.format,
            "sha256": self.sha256,
            "size": self.size,
            "well_formed": self.well_formed,
            "executable": self.executable,
            "pickle": self.pickle,
            "header_checked": self.header is not None,
            "dtypes": header.dtypes,
            "metadata": header.metadata,
        }
        for name in ("tensors", "parameters", "architecture", "license", "chat_template_digest"):
            value = getattr(header, name)
            if value is not None:
                facts[name] = value
        return facts


def load(source: Source, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Look at one weight file, or at a directory with a model in it.

    Raises the InputErrors of :class:`Source`; whatever the files hold ends in facts.
    """
    if source.type() == "directory":
        return _load_directory(source, limits)
    found = _look(source, source.shown)
    facts = _facts([found], RemoteCode(), [])
    facts |= {"sha256": found.sha256, "size": found.size}
    return _document(source, facts, found.sha256, found.size, [], _tree(found), {}, RemoteCode())


def _load_directory(source: Source, limits: Limits) -> Document:
    walk = source.walk(limits)
    prefix = "" if source.relative in ("", ".") else source.relative + "/"
    files: list[_File] = []
    records = []

    def look(member: Source) -> _File | FileDigest:
        path = Source(source.root, member.relative.removeprefix(prefix)).shown
        return _look(member, path) if _may_be_weights(member) else member.digest()

    members = walk.files()
    with ThreadPoolExecutor(max(1, min(WORKERS, len(members)))) as pool:
        for member, found in zip(members, pool.map(look, members), strict=True):
            path = Source(source.root, member.relative.removeprefix(prefix)).shown
            records.append(file_record(path, found.sha256, found.size))
            if isinstance(found, _File) and (
                found.format != "unknown" or member.name.lower().endswith(_PICKLE_SUFFIXES)
            ):
                files.append(found)
    links = [
        Source(source.root, e.source.relative.removeprefix(prefix)).shown
        for e in walk.entries
        if e.type == "symlink"
    ]
    code = look_for_code(walk.files(), prefix, limits)
    facts = _facts(files, code, links)
    if walk.truncated:
        facts["problems"].append(
            {"code": "too_many_files", "message": "not every file was looked at", "path": "."}
        )
        facts["executable"] = True
        facts["well_formed"] = False
    digest_all, size = digest_of_files(records), sum(r["size"] for r in records)
    facts |= {"sha256": digest_all, "size": size}
    document = {f.path: _tree(f) for f in files}
    return _document(source, facts, digest_all, size, records, document, code.origins(), code)


def _tree(found: _File) -> Any:
    """What the header says, as the parsed file."""
    return {} if found.header is None else found.header.document or {}


def _document(
    source: Source,
    facts: dict[str, Any],
    digest: str,
    size: int,
    files: list[dict[str, Any]],
    document: Any,
    origins: dict[str, Origin],
    code: RemoteCode,
) -> Document:
    return Document(
        kind=KIND,
        path=source.shown,
        digest=digest,
        size=size,
        document=document,
        facts=facts,
        problems=[
            Problem(p["code"], f"{p['path']}: {p['message']}", f"/facts/problems/{index}")
            for index, p in enumerate(facts["problems"])
        ],
        files=files,
        locator=nowhere,
        origins=origins,
        sources=code.sources,
    )


def _may_be_weights(source: Source) -> bool:
    """By name, or because it begins like something that can be loaded."""
    if source.name.lower().endswith(WEIGHT_SUFFIXES):
        return True
    with source.open() as stream:
        return stream.read(_START).startswith(_STARTS)


def _facts(files: list[_File], code: RemoteCode, links: list[str]) -> dict[str, Any]:
    formats = sorted({f.format for f in files})
    known = [f.header for f in files if f.header is not None]
    dtypes: dict[str, int] = {}
    for header in known:
        for dtype, count in header.dtypes.items():
            dtypes[dtype] = dtypes.get(dtype, 0) + count
    templates = list(code.chat_templates)
    templates += [h.chat_template_digest for h in known if h.chat_template_digest]
    imports = [g for f in files for g in f.globals]
    facts: dict[str, Any] = {
        "format": "none" if not formats else formats[0] if len(formats) == 1 else "mixed",
        "formats": formats,
        "well_formed": bool(files) and all(f.well_formed for f in files),
        "executable": any(f.executable for f in files),
        "pickle": any(f.pickle for f in files),
        "problems": [p for f in files for p in f.problems] + code.problems,
        "globals": imports,
        "disallowed_globals": shown((g["module"], g["name"]) for g in imports if not g["allowed"]),
        "dtypes": dtypes,
        # A copy: evidence finds places by object identity.
        "metadata": dict(known[0].metadata) if len(known) == 1 else {},
        "chat_template_digests": sorted(set(templates)),
        "remote_code": code.as_facts(),
        "symlinks": sorted(links),
        "files": [f.as_facts() for f in files],
    }
    _sum_up(facts, known, templates)
    return facts


def _sum_up(facts: dict[str, Any], known: list[Header], templates: list[str]) -> None:
    """Facts that are there only when a header says them."""
    for name in ("tensors", "parameters"):
        stated = [value for h in known if (value := getattr(h, name)) is not None]
        if stated:
            facts[name] = sum(stated)
    for name in ("architecture", "license"):
        texts = {value for h in known if (value := getattr(h, name)) is not None}
        if len(texts) == 1:
            facts[name] = texts.pop()
    if templates:
        facts["chat_template_digest"] = templates[0]


# --- one file ---------------------------------------------------------------------------------


def _look(source: Source, path: str) -> _File:
    """Hash one file and look at what it is."""
    digest = source.digest()
    found = _File(path, digest.sha256, digest.size)
    with source.open() as stream:
        start = stream.read(_START)
        stream.seek(0)
        try:
            _recognise(found, stream, start, source.name.lower())
        except BadHeader as error:
            found.well_formed = False
            found.report(error.code, error.message)
    return found


def _recognise(found: _File, stream: BinaryIO, start: bytes, name: str) -> None:
    """Decide by content, with the name where content says nothing, and check."""
    if not start:
        found.format = "empty"
        found.report("empty_file", "the file is empty")
    elif start.startswith(b"GGUF") or name.endswith(".gguf"):
        found.format = "gguf"
        _checked(found, read_gguf(stream, found.size))
    elif start.startswith(b"\x93NUMPY"):
        _numpy(found, stream)
    elif start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        _zip(found, stream, name)
    elif start.startswith(b"\x89HDF\r\n\x1a\n"):
        _hdf5(found, stream, name)
    elif name.endswith(".safetensors") or _is_safetensors(start, found.size):
        found.format = "safetensors"
        _checked(found, read_safetensors(stream, found.size))
    elif _packed(start) is not None:
        _unreadable(found, _packed(start) or "archive")
    elif start[4:8] == b"TFL3":
        _recognised(found, "tflite")
    elif name.endswith(".onnx") and start[:1] == b"\x08":
        found.format = "onnx"
        _checked(found, read_onnx(stream, found.size, found.report))
        found.well_formed = not found.problems
    elif name == "saved_model.pb":
        _recognised(found, "tf_saved_model")
    elif start[257:262] == b"ustar":
        _unreadable(found, "archive")
    else:
        _maybe_pickle(found, stream, start, name)


def _checked(found: _File, header: Header) -> None:
    found.header = header
    found.well_formed = True


def _recognised(found: _File, kind: str) -> None:
    """A known format whose header is not read."""
    found.format = kind
    found.well_formed = True


def _packed(start: bytes) -> str | None:
    return next((kind for mark, kind in _PACKED.items() if start.startswith(mark)), None)


def _unreadable(found: _File, kind: str) -> None:
    """Packed in a way that is not looked into: what it would run cannot be known."""
    found.format, found.executable = kind, True
    found.report("not_looked_into", "the file is packed, and what it holds was not looked at")


def _is_safetensors(start: bytes, size: int) -> bool:
    length = int.from_bytes(start[:8], "little")
    return start[8:9] == b"{" and 2 <= length <= size - 8


def _numpy(found: _File, stream: BinaryIO) -> None:
    found.format = "numpy"
    header, pickled_at = read_numpy(stream, found.size)
    _checked(found, header)
    if pickled_at is not None:
        stream.seek(pickled_at)
        found.note_pickle(scan_pickle(stream.read(MAX_PICKLE_BYTES + 1)))


def _zip(found: _File, stream: BinaryIO, name: str) -> None:
    found.format = "zip"
    archive = read_archive(stream, found.report)
    found.format = _zip_format(archive, name)
    found.well_formed = archive.sound
    found.executable = archive.unseen
    for member, pickled in archive.pickles.items():
        found.note_pickle(pickled, member)
    if any("/code/" in f"/{m}" and m.endswith(".py") for m in archive.members):
        found.executable = True
        found.report("torchscript_code", "the archive holds TorchScript code")
    if found.format == "keras_zip":
        _keras_zip(found, stream)


def _zip_format(archive: ArchiveFacts, name: str) -> str:
    last = {m.rpartition("/")[2] for m in archive.members}
    if "data.pkl" in last or "constants.pkl" in last:
        return "torch_zip"
    if "model.weights.h5" in last or name.endswith(".keras"):
        return "keras_zip"
    if archive.members and all(m.endswith(".npy") for m in archive.members):
        return "numpy_zip"
    return "zip"


def _keras_zip(found: _File, stream: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            info = archive.getinfo("config.json")
            if info.file_size > 32 * 1024 * 1024:
                raise ValueError("config.json is too large")
            lambdas = keras_lambdas(json.loads(archive.read(info)))
    except (KeyError, *ZIP_ERRORS):  # RecursionError is a RuntimeError
        found.executable = True
        found.report("keras_config_unreadable", "config.json cannot be read", "config.json")
        return
    _note_lambdas(found, lambdas, "config.json")


def _note_lambdas(found: _File, lambdas: Iterable[str], member: str = "") -> None:
    names = sorted(set(lambdas))
    if names:
        found.executable = True
        found.report("keras_code", f"the model holds code: {', '.join(names[:5])}", member)


def _hdf5(found: _File, stream: BinaryIO, name: str) -> None:
    """Keras keeps the model's configuration as JSON text in an attribute of the file."""
    _recognised(found, "keras_hdf5" if name.endswith((".h5", ".hdf5", ".keras")) else "hdf5")
    tail = b""
    while piece := stream.read(1 << 20):
        window = tail + piece
        if b'"class_name": "Lambda"' in window or b'"class_name":"Lambda"' in window:
            _note_lambdas(found, ["Lambda"])
            return
        tail = window[-64:]


def _maybe_pickle(found: _File, stream: BinaryIO, start: bytes, name: str) -> None:
    """Pickles of protocol 0 and 1 have no mark: whatever is left is tried."""
    sure = start.startswith(PICKLE_STARTS) or name.endswith(_PICKLE_SUFFIXES)
    if not sure:
        sample = scan_pickle(stream.read(_SAMPLE))
        if not sample.imports and not sample.streams:
            found.report("format_unknown", "the file is of no known format")
            return
        stream.seek(0)
    pickled = scan_pickle(stream.read(MAX_PICKLE_BYTES + 1))
    found.format = "pickle"
    if pickled.torch_legacy:
        found.format = "torch_legacy"
    elif name.endswith(".joblib"):
        found.format = "joblib"
    found.well_formed = not pickled.errors
    found.note_pickle(pickled)
