"""ONNX models: a binary stream in, what the model says out, tensor data skipped.

Protocol Buffers are read by hand (wire types 0, 1, 2 and 5; every length against what encloses
it), as onnx.proto names the fields.  External data must stay in the model's folder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, NamedTuple

from adjudge.documents.weights_headers import MAX_TENSORS, BadHeader, Header, shortened

_MAX_FIELDS: Final = 5_000_000
_MAX_TEXT: Final = 1024 * 1024
_MAX_DEPTH: Final = 16
_MAX_DIMENSIONS: Final = 64
_SHOWN: Final = 100
_STANDARD: Final = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training"})
"""Domains of operators that ONNX itself defines; others need code that somebody registers."""

_TYPES: Final[dict[int, tuple[str, int]]] = {
    1: ("F32", 32),
    2: ("U8", 8),
    3: ("I8", 8),
    4: ("U16", 16),
    5: ("I16", 16),
    6: ("I32", 32),
    7: ("I64", 64),
    8: ("STRING", 0),
    9: ("BOOL", 8),
    10: ("F16", 16),
    11: ("F64", 64),
    12: ("U32", 32),
    13: ("U64", 64),
    14: ("C64", 64),
    15: ("C128", 128),
    16: ("BF16", 16),
    17: ("F8_E4M3", 8),
    18: ("F8_E4M3FNUZ", 8),
    19: ("F8_E5M2", 8),
    20: ("F8_E5M2FNUZ", 8),
    21: ("U4", 4),
    22: ("I4", 4),
    23: ("F4", 4),
    24: ("F8_E8M0", 8),
    25: ("U2", 2),
    26: ("I2", 2),
}

Report = Callable[[str, str], None]


class _Field(NamedTuple):
    """One field: its number, and a number, or where its bytes are."""

    number: int
    value: int
    start: int
    length: int


def read_onnx(stream: BinaryIO, size: int, report: Report) -> Header:
    """The header of an ONNX file of ``size`` bytes; ``report`` is told of what is wrong in it but
    does not stop the reading.  Raises :class:`BadHeader`."""
    return _Reader(stream, size, report).read()


class _Reader:
    """One reading of one file."""

    def __init__(self, stream: BinaryIO, size: int, report: Report) -> None:
        self.stream = stream
        self.size = size
        self.report = report
        self.fields_read = 0
        self.header = Header("onnx", tensors=0, parameters=0)
        self.external: list[str] = []
        self.domains: set[str] = set()
        self.has_graph = False

    def read(self) -> Header:
        header, opsets = self.header, {}
        texts = {2: "producer_name", 3: "producer_version", 4: "domain", 6: "doc_string"}
        for field in self.fields(0, self.size):
            match field.number:
                case 1 | 5:
                    key = "ir_version" if field.number == 1 else "model_version"
                    header.metadata[key] = field.value
                case 2 | 3 | 4 | 6:
                    header.metadata[texts[field.number]] = shortened(self.text(field))
                case 7:
                    self.has_graph = True
                    self.graph(field, 0)
                case 8:
                    domain, version = self.opset(field)
                    opsets[domain or "ai.onnx"] = version
                case 14:
                    key, value = self.entry(field)
                    header.metadata[f"property.{key[:200]}"] = shortened(value)
                case 25:
                    self.function(field)
        if "ir_version" not in header.metadata or not self.has_graph:
            raise BadHeader("header_invalid", "it has no ir_version or no graph")
        self.finish(opsets)
        return header

    def finish(self, opsets: dict[str, int]) -> None:
        """Put together what was found on the way."""
        header = self.header
        for domain, version in sorted(opsets.items())[:_SHOWN]:
            header.metadata[f"opset.{domain[:200]}"] = version
        custom = sorted(self.domains - _STANDARD)
        if custom:
            header.metadata["operator_domains"] = ", ".join(custom[:_SHOWN])[:4096]
        if self.external:
            names = sorted(set(self.external))
            header.metadata["external_data"] = ", ".join(names[:_SHOWN])[:4096]
        header.document = {
            "metadata": dict(header.metadata),
            "external_data": sorted(set(self.external))[:10_000],
        }

    # --- messages -----------------------------------------------------------------------------

    def graph(self, message: _Field, depth: int) -> None:
        """GraphProto: nodes and initializers."""
        if depth > _MAX_DEPTH:
            raise BadHeader("header_too_large", "graphs are nested too deeply")
        for field in self.inside(message):
            if field.number == 1:
                self.node(field, depth)
            elif field.number == 5:
                self.tensor(field)
            elif field.number == 15:
                for part in self.inside(field):  # SparseTensorProto: values and indices
                    if part.number in (1, 2):
                        self.tensor(part)

    def function(self, message: _Field) -> None:
        """FunctionProto: nodes that the model itself defines."""
        for field in self.inside(message):
            if field.number == 7:
                self.node(field, 0)

    def node(self, message: _Field, depth: int) -> None:
        """NodeProto: the operator's domain, and tensors and graphs among its attributes."""
        for field in self.inside(message):
            if field.number == 7:
                self.domains.add(self.text(field)[:200])
            elif field.number == 5:
                for part in self.inside(field):
                    if part.number in (5, 10):
                        self.tensor(part)
                    elif part.number in (6, 11):
                        self.graph(part, depth + 1)

    def tensor(self, message: _Field) -> None:
        """TensorProto: type, shape and where the data is."""
        dims: list[int] = []
        kind, raw, external = 0, None, {}
        name = ""
        for field in self.inside(message):
            match field.number:
                case 1:
                    dims += self.numbers(field)
                case 2:
                    kind = field.value
                case 8:
                    name = self.text(field)
                case 9:
                    raw = field.length
                case 13:
                    key, value = self.entry(field)
                    external[key] = value
        if len(dims) > _MAX_DIMENSIONS or any(d >= 1 << 63 for d in dims):
            raise BadHeader("tensor_shape", f"the shape of the tensor {name[:60]!r} is impossible")
        self.count(kind, math.prod(dims), raw, name)
        if "location" in external:
            self.locate(external["location"], name)

    def count(self, kind: int, values: int, raw: int | None, name: str) -> None:
        header = self.header
        if kind not in _TYPES:
            raise BadHeader(
                "dtype_unknown", f"the type {kind} of the tensor {name[:60]!r} is not known"
            )
        dtype, bits = _TYPES[kind]
        if raw is not None and (values * bits + 7) // 8 != raw:
            raise BadHeader(
                "tensor_size", f"the tensor {name[:60]!r} has not the bytes of its shape"
            )
        header.tensors = (header.tensors or 0) + 1
        if header.tensors > MAX_TENSORS:
            raise BadHeader("header_too_large", f"there are more than {MAX_TENSORS} tensors")
        header.parameters = (header.parameters or 0) + values
        header.dtypes[dtype] = header.dtypes.get(dtype, 0) + 1

    def locate(self, location: str, name: str) -> None:
        """Note a file that holds data; it must be in the model's folder or below."""
        steps = location.replace("\\", "/").split("/")
        leaves = location.startswith(("/", "\\")) or ".." in steps or steps[0].endswith(":")
        if leaves or "\0" in location or not location:
            shown = "".join(c if c.isprintable() else "?" for c in location[:100])
            message = f"the data of the tensor {name[:60]!r} is outside of the model: {shown}"
            self.report("external_data_escape", message)
        if len(self.external) < MAX_TENSORS:
            self.external.append(location[:1000])

    def opset(self, message: _Field) -> tuple[str, int]:
        domain, version = "", 0
        for field in self.inside(message):
            if field.number == 1:
                domain = self.text(field)
            elif field.number == 2:
                version = field.value
        return domain, version

    def entry(self, message: _Field) -> tuple[str, str]:
        """StringStringEntryProto."""
        found = {1: "", 2: ""}
        for field in self.inside(message):
            if field.number in found:
                found[field.number] = self.text(field)
        return found[1], found[2]

    # --- the wire -----------------------------------------------------------------------------

    def inside(self, message: _Field) -> Iterator[_Field]:
        if message.start < 0:
            raise BadHeader("header_invalid", "a number stands where a message belongs")
        return self.fields(message.start, message.start + message.length)

    def fields(self, start: int, end: int) -> Iterator[_Field]:
        """The fields between two places; each is left unread and skipped."""
        at = start
        while at < end:
            self.fields_read += 1
            if self.fields_read > _MAX_FIELDS:
                raise BadHeader("header_too_large", f"it has more than {_MAX_FIELDS} fields")
            self.stream.seek(at)
            head = self.stream.read(min(20, end - at))
            tag, used = _varint(head, 0)
            number, wire = tag >> 3, tag & 7
            if number == 0 or wire not in (0, 1, 2, 5):
                raise BadHeader("header_invalid", "it is not in the form of Protocol Buffers")
            if wire == 2:
                length, used = _varint(head, used)
                if length > end - at - used:
                    raise BadHeader("header_truncated", "a field is longer than what encloses it")
                yield _Field(number, 0, at + used, length)
                at += used + length
            elif wire == 0:
                value, used = _varint(head, used)
                yield _Field(number, value, -1, 0)
                at += used
            else:
                at += used + (8 if wire == 1 else 4)
                if at > end:
                    raise BadHeader("header_truncated", "a number is cut off")

    def text(self, field: _Field) -> str:
        if field.start < 0 or field.length > _MAX_TEXT:
            raise BadHeader("header_invalid", "a text is too long or none")
        self.stream.seek(field.start)
        try:
            return self.stream.read(field.length).decode("utf-8")
        except UnicodeDecodeError:
            raise BadHeader("header_invalid", "a text is not UTF-8") from None

    def numbers(self, field: _Field) -> list[int]:
        """A repeated number, packed or not."""
        if field.start < 0:
            return [field.value]
        if field.length > 10 * _MAX_DIMENSIONS:
            raise BadHeader("tensor_shape", "a tensor has too many dimensions")
        self.stream.seek(field.start)
        raw, at, found = self.stream.read(field.length), 0, []
        while at < len(raw):
            value, at = _varint(raw, at)
            found.append(value)
        return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at ``at`` and the place after it."""
    value = 0
    for index in range(10):
        if at + index >= len(data):
            raise BadHeader("header_truncated", "a number is cut off")
        byte = data[at + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value & (1 << 64) - 1, at + index + 1
    raise BadHeader("header_invalid", "a number is longer than 64 bits")
