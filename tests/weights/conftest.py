"""What the tests of weights share: making small weight files and reading their facts."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from adjudge.documents.model import Document
from adjudge.documents.reading import Source
from adjudge.documents.weights import load

SCHEMA = Draft202012Validator(
    json.loads((resources.files("adjudge.documents") / "schemas/weights.json").read_text("utf-8"))
)
Look = Callable[..., dict[str, Any]]


def no_object_twice(facts: Any) -> bool:
    """Whether every array and object stands at one place: evidence goes by identity."""
    seen: set[int] = set()
    waiting = [facts]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (dict, list)):
            if id(value) in seen:
                return False
            seen.add(id(value))
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return True


def checked(source: Source) -> Document:
    """The document at ``source``, whose facts must be as published and as text."""
    document = load(source)
    errors = [f"{e.json_path}: {e.message}" for e in SCHEMA.iter_errors(document.facts)]
    assert errors == []
    assert no_object_twice(document.facts)
    json.dumps(document.as_input(), ensure_ascii=False, allow_nan=False).encode("utf-8")
    return document


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Write bytes as a file and give its facts."""

    def run(data: bytes, name: str = "model.bin") -> dict[str, Any]:
        (tmp_path / name).write_bytes(data)
        return checked(Source(tmp_path, name)).facts

    return run


def codes(facts: dict[str, Any]) -> list[str]:
    """The codes of the problems."""
    return [p["code"] for p in facts["problems"]]


# --- making files -----------------------------------------------------------------------------


def safetensors(
    tensors: dict[str, Any] | None = None,
    data: bytes = b"\0" * 8,
    metadata: dict[str, str] | None = None,
    header: str | None = None,
) -> bytes:
    """A safetensors file; by default one F32 tensor of two values."""
    if tensors is None:
        tensors = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    value = ({"__metadata__": metadata} if metadata is not None else {}) | tensors
    raw = (header if header is not None else json.dumps(value)).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf(
    metadata: dict[str, bytes] | None = None,
    tensors: list[bytes] | None = None,
    data: bytes = b"\0" * 64,
    version: int = 3,
    alignment: int = 32,
) -> bytes:
    """A GGUF file; metadata values come with their type (see :func:`gguf_text`)."""
    metadata = metadata if metadata is not None else {"general.architecture": gguf_text("llama")}
    tensors = tensors if tensors is not None else [gguf_tensor("w", [16], 0, 0)]
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    head += b"".join(text(key) + value for key, value in metadata.items())
    head += b"".join(tensors)
    return head + b"\0" * (-len(head) % alignment) + data


def gguf_text(value: str) -> bytes:
    return struct.pack("<I", 8) + text(value)


def gguf_tensor(name: str, shape: list[int], kind: int, offset: int) -> bytes:
    dimensions = struct.pack(f"<{len(shape)}Q", *shape)
    return (
        text(name) + struct.pack("<I", len(shape)) + dimensions + struct.pack("<IQ", kind, offset)
    )


def npy(descr: str, shape: str = "(2,)", data: bytes = b"\0" * 8, version: int = 1) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes((version, 0)) + length + header + data


def archive(**members: bytes) -> bytes:
    """A zip archive, uncompressed as torch writes it; ``__`` stands for ``/``, ``_`` ``.``."""
    return zipped({k.replace("__", "/").replace("_", "."): v for k, v in members.items()})


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


def imports(*pairs: tuple[str, str], protocol: int = 2) -> bytes:
    """A pickle that imports these and nothing else: no object of any of them is made."""
    body = b"".join(f"c{module}\n{name}\n0".encode() for module, name in pairs)
    return bytes((0x80, protocol)) + body + b"N."


HARMLESS = imports(
    ("collections", "OrderedDict"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch", "FloatStorage"),
)
HARMFUL = imports(("os", "system"))
