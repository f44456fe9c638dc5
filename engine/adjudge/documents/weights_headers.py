"""Headers of weight files: a binary stream in, what the header says out, strictly checked.

safetensors (as its format description says, and stricter than its library: no duplicate
names), GGUF versions 2 and 3, and NumPy arrays.  Every length is checked before it is used;
tensor data is never read.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import struct
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

MAX_SAFETENSORS_HEADER: Final = 100_000_000
MAX_TENSORS: Final = 1_000_000
MAX_METADATA_TEXT: Final = 4096
"""Longer metadata values are cut in the facts, and shown with their digest."""

_MAX_GGUF_KEYS = 100_000
_MAX_GGUF_TEXT = 64 * 1024 * 1024
_MAX_GGUF_ITEMS = 5_000_000
_MAX_NUMPY_HEADER = 10_000


class BadHeader(Exception):
    """The header breaks a rule of its format; ``code`` is stable, ``message`` says which."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class Header:
    """What a header says.  ``metadata`` holds texts, numbers and booleans."""

    format: str
    metadata: dict[str, Any] = field(default_factory=dict)
    tensors: int | None = None
    parameters: int | None = None
    dtypes: dict[str, int] = field(default_factory=dict)
    architecture: str | None = None
    license: str | None = None
    chat_template_digest: str | None = None
    document: Any = None


# --- safetensors ------------------------------------------------------------------------------

_BITS: Final = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "I64": 64,
    "U64": 64,
    "F64": 64,
    "C64": 64,
}


def read_safetensors(stream: BinaryIO, size: int) -> Header:
    """The header of a safetensors file of ``size`` bytes.  Raises :class:`BadHeader`."""
    length, value = _safetensors_json(stream, size)
    metadata = value.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise BadHeader("metadata_invalid", "__metadata__ must map texts to texts")
    if len(value) > MAX_TENSORS:
        raise BadHeader("header_too_large", f"the header names {len(value)} tensors")
    parameters, dtypes = _safetensors_tensors(value, size - 8 - length)
    return Header(
        format="safetensors",
        metadata={key: shortened(text) for key, text in metadata.items()},
        tensors=len(value),
        parameters=parameters,
        dtypes=dtypes,
        document={"__metadata__": metadata, **value},
    )


def _safetensors_json(stream: BinaryIO, size: int) -> tuple[int, dict[str, Any]]:
    start = stream.read(8)
    if len(start) < 8:
        raise BadHeader("header_truncated", "the file is shorter than the length of its header")
    (length,) = struct.unpack("<Q", start)
    if length > MAX_SAFETENSORS_HEADER:
        raise BadHeader("header_too_large", f"the header claims {length} bytes")
    if 8 + length > size:
        raise BadHeader("header_truncated", f"the header claims {length} bytes of {size}")
    raw = stream.read(length)
    if raw[:1] != b"{":
        raise BadHeader("header_invalid", "the header must start with {")
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
        if b"\\ud" in raw.lower():  # half a surrogate pair has no UTF-8 form, hence no digest
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise BadHeader("header_invalid", "the header is not JSON") from None
    return length, value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadHeader("duplicate_key", "the header names a tensor or a member twice")
    return found


def _no_constant(text: str) -> Any:
    raise BadHeader("header_invalid", f"{text} is not JSON")


def _safetensors_tensors(tensors: dict[str, Any], available: int) -> tuple[int, dict[str, int]]:
    """Check that the tensors fill the data without holes; gives values and tensors by type."""
    spans: list[tuple[int, int, str]] = []
    parameters = 0
    dtypes: dict[str, int] = {}
    for name, tensor in tensors.items():
        begin, end, count = _safetensors_tensor(name, tensor)
        spans.append((begin, end, name))
        parameters += count
        dtypes[tensor["dtype"]] = dtypes.get(tensor["dtype"], 0) + 1
    position = 0
    for begin, end, name in sorted(spans):
        if begin != position:
            raise BadHeader("tensor_gap", f"{_named(name)} starts at {begin}, expected {position}")
        position = end
    if position != available:
        raise BadHeader("trailing_bytes", f"tensors end at {position}, the data at {available}")
    return parameters, dtypes


def _safetensors_tensor(name: str, tensor: Any) -> tuple[int, int, int]:
    """Begin, end and number of values of one tensor."""
    if not isinstance(tensor, dict) or set(tensor) != {"dtype", "shape", "data_offsets"}:
        raise BadHeader("header_invalid", f"{_named(name)} needs dtype, shape and data_offsets")
    dtype, shape, offsets = tensor["dtype"], tensor["shape"], tensor["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise BadHeader("dtype_unknown", f"{_named(name)} has an unknown dtype")
    if not _naturals(shape) or not _naturals(offsets) or len(offsets) != 2 or len(shape) > 64:
        raise BadHeader("header_invalid", f"{_named(name)} has a bad shape or bad offsets")
    begin, end = offsets
    count = math.prod(shape)
    if end < begin or count * _BITS[dtype] != (end - begin) * 8:
        raise BadHeader("tensor_size", f"{_named(name)} does not have the size of its shape")
    return begin, end, count


def _naturals(value: Any) -> bool:
    return isinstance(value, list) and all(type(v) is int and 0 <= v < 1 << 63 for v in value)


def _named(name: str) -> str:
    return f"tensor {shortened(name, 80)!r}"


# --- GGUF -------------------------------------------------------------------------------------

_SCALARS: Final = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_TEXT, _ARRAY = 8, 9

# Name, values per block, bytes per block.
_GGML: Final = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
}


def read_gguf(stream: BinaryIO, size: int) -> Header:
    """The header of a GGUF file of ``size`` bytes.  Raises :class:`BadHeader`."""
    reader = _Gguf(stream, size)
    if reader.take(4) != b"GGUF":
        raise BadHeader("header_invalid", "the file does not start with GGUF")
    (version,) = reader.unpack("I")
    if version not in (2, 3):
        raise BadHeader("version_unsupported", f"GGUF version {version}")
    tensor_count, key_count = reader.unpack("QQ")
    if tensor_count > MAX_TENSORS or key_count > _MAX_GGUF_KEYS:
        raise BadHeader("header_too_large", f"{tensor_count} tensors and {key_count} keys")
    metadata: dict[str, Any] = {}
    for _ in range(key_count):
        key = reader.text()
        if key in metadata:
            raise BadHeader("duplicate_key", f"the key {shortened(key, 80)!r} is there twice")
        metadata[key] = reader.value(*reader.unpack("I"))
    tensors = [reader.tensor() for _ in range(tensor_count)]
    dtypes, parameters = _check_gguf(tensors, metadata, stream.tell(), size)
    template = metadata.get("tokenizer.chat_template")
    return Header(
        format="gguf",
        metadata={
            key: shortened(value) if isinstance(value, str) else value
            for key, value in metadata.items()
            if not isinstance(value, dict)
        },
        tensors=tensor_count,
        parameters=parameters,
        dtypes=dtypes,
        architecture=_if_text(metadata.get("general.architecture")),
        license=_if_text(metadata.get("general.license")),
        chat_template_digest=text_digest(template) if isinstance(template, str) else None,
        document={"version": version, "metadata": metadata, "tensors": tensors},
    )


class _Gguf:
    """Reads the primitive values of a GGUF header, which is little-endian."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size
        self._items = 0

    def take(self, count: int) -> bytes:
        """Exactly ``count`` bytes."""
        data = self._stream.read(count)
        if len(data) != count:
            raise BadHeader("header_truncated", "the file ends inside its header")
        return data

    def unpack(self, layout: str) -> tuple[Any, ...]:
        """Fixed-size numbers."""
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))

    def text(self) -> str:
        """A text with its length before it."""
        (length,) = self.unpack("Q")
        if length > _MAX_GGUF_TEXT or length > self._size - self._stream.tell():
            raise BadHeader("header_truncated", f"a text claims {length} bytes")
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise BadHeader("header_invalid", "a text is not UTF-8") from None

    def value(self, kind: int) -> Any:
        """A metadata value; of an array only its type and length."""
        if kind == _TEXT:
            return self.text()
        if kind == _ARRAY:
            return self._array(0)
        if kind not in _SCALARS:
            raise BadHeader("header_invalid", f"the value type {kind} does not exist")
        (found,) = self.unpack(_SCALARS[kind])
        # JSON has no NaN and no infinity.
        return str(found) if isinstance(found, float) and not math.isfinite(found) else found

    def _array(self, depth: int) -> dict[str, int]:
        kind, length = self.unpack("IQ")
        left = self._size - self._stream.tell()
        if depth > 4:
            raise BadHeader("header_invalid", "arrays nest too deeply")
        if kind in _SCALARS:
            width = struct.calcsize("<" + _SCALARS[kind])
            if length * width > left:
                raise BadHeader("header_truncated", f"an array claims {length} values")
            self._stream.seek(length * width, 1)
        elif kind in (_TEXT, _ARRAY):
            self._items += length
            if length * 8 > left:
                raise BadHeader("header_truncated", f"an array claims {length} values")
            if self._items > _MAX_GGUF_ITEMS:
                raise BadHeader("header_too_large", "the header holds too many texts")
            for _ in range(length):
                if kind == _ARRAY:
                    self._array(depth + 1)
                else:
                    self._skip_text()
        else:
            raise BadHeader("header_invalid", f"the value type {kind} does not exist")
        return {"array_type": kind, "length": length}

    def _skip_text(self) -> None:
        """Vocabularies hold hundreds of thousands of texts that no policy asks for."""
        (length,) = struct.unpack("<Q", self.take(8))
        if length > self._size - self._stream.tell():
            raise BadHeader("header_truncated", f"a text claims {length} bytes")
        self._stream.seek(length, 1)

    def tensor(self) -> dict[str, Any]:
        """Name, shape, type and offset of a tensor."""
        name = self.text()
        (rank,) = self.unpack("I")
        if rank > 8:
            raise BadHeader("header_invalid", f"{_named(name)} has {rank} dimensions")
        shape = list(self.unpack(f"{rank}Q"))
        kind, offset = self.unpack("IQ")
        return {"name": name, "shape": shape, "type": kind, "offset": offset}


def _check_gguf(
    tensors: list[dict[str, Any]], metadata: dict[str, Any], header_end: int, size: int
) -> tuple[dict[str, int], int]:
    """Check names, alignment and that no tensors overlap or leave the file."""
    alignment = metadata.get("general.alignment", 32)
    if type(alignment) is not int or not 0 < alignment <= 1 << 20 or alignment % 8:
        raise BadHeader("header_invalid", "general.alignment is no alignment")
    start = -(-header_end // alignment) * alignment
    dtypes: dict[str, int] = {}
    spans: list[tuple[int, int, str]] = []
    names: set[str] = set()
    parameters = 0
    for tensor in tensors:
        name, offset, count = tensor["name"], tensor["offset"], math.prod(tensor["shape"])
        if name in names:
            raise BadHeader("duplicate_key", f"{_named(name)} is there twice")
        names.add(name)
        if tensor["type"] not in _GGML:
            raise BadHeader("dtype_unknown", f"{_named(name)} has type {tensor['type']}")
        dtype, per_block, width = _GGML[tensor["type"]]
        if offset % alignment or count % per_block:
            raise BadHeader("tensor_size", f"{_named(name)} is not aligned to its type")
        spans.append((offset, offset + count // per_block * width, name))
        parameters += count
        dtypes[dtype] = dtypes.get(dtype, 0) + 1
    position = 0
    for begin, end, name in sorted(spans):
        if begin < position:
            raise BadHeader("tensor_overlap", f"{_named(name)} overlaps another tensor")
        position = end
    if spans and start + position > size:
        raise BadHeader("tensor_size", "tensors reach beyond the end of the file")
    return dtypes, parameters


# --- NumPy ------------------------------------------------------------------------------------


def read_numpy(stream: BinaryIO, size: int) -> tuple[Header, int | None]:
    """The header of an ``.npy`` file, and where its pickle starts if it holds objects.

    NumPy Enhancement Proposal 1 and the versions 2.0 and 3.0 of the format.
    Raises :class:`BadHeader`.
    """
    start = stream.read(8)
    if len(start) < 8 or start[6] not in (1, 2, 3):
        raise BadHeader("version_unsupported", "no known version of the NumPy format")
    width = "<H" if start[6] == 1 else "<I"
    (length,) = struct.unpack(width, _exactly(stream, struct.calcsize(width)))
    if length > _MAX_NUMPY_HEADER:
        raise BadHeader("header_too_large", f"the header claims {length} bytes")
    try:
        text = _exactly(stream, length).decode("utf-8" if start[6] == 3 else "latin-1")
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise BadHeader("header_invalid", "the header is no Python literal") from None
    if not isinstance(value, dict) or set(value) != {"descr", "fortran_order", "shape"}:
        raise BadHeader("header_invalid", "the header needs descr, fortran_order and shape")
    shape = value["shape"]
    if not isinstance(shape, tuple) or not _naturals(list(shape)):
        raise BadHeader("header_invalid", "the shape is no tuple of sizes")
    dtype, count = str(value["descr"]), math.prod(shape)
    data = stream.tell()
    header = Header("numpy", tensors=1, parameters=count, dtypes={shortened(dtype, 80): 1})
    header.document = {"descr": dtype, "shape": list(shape)}
    if _holds_objects(value["descr"]):
        return header, data
    digits = dtype[2:]
    if digits.isdecimal() and dtype[1] in "biufc" and data + int(digits) * count != size:
        raise BadHeader("tensor_size", "the file does not have the size of its shape")
    return header, None


def _holds_objects(descr: Any) -> bool:
    """Whether a dtype has objects in it; also when that cannot be told."""
    if isinstance(descr, str):
        return descr.lstrip("<>|=").startswith("O")
    if isinstance(descr, list):
        return any(
            not isinstance(member, tuple) or len(member) < 2 or _holds_objects(member[1])
            for member in descr
        )
    return not (isinstance(descr, tuple) and bool(descr) and not _holds_objects(descr[0]))


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise BadHeader("header_truncated", "the file ends inside its header")
    return data


# --- shared -----------------------------------------------------------------------------------


def shortened(text: str, length: int = MAX_METADATA_TEXT) -> str:
    """``text``, or its start and the digest of the whole when it is long."""
    if len(text) <= length:
        return text
    return f"{text[:length]}… (sha256:{text_digest(text)})"


def text_digest(text: str) -> str:
    """SHA-256 (hex) of a text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _if_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
