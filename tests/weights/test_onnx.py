"""ONNX files read by hand: what they say, and how they may lie."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adjudge.documents import weights
from adjudge.documents.reading import Source

SCHEMA = json.loads(
    (resources.files("adjudge.documents") / "schemas/weights.json").read_text("utf-8")
)


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def entry(field: int, key: str, value: str) -> bytes:
    return block(field, block(1, key) + block(2, value))


def tensor(
    dims: tuple[int, ...] = (2, 3), kind: int = 1, raw: bytes | None = None, location: str = ""
) -> bytes:
    shape = b"".join(number(1, d) for d in dims)
    data = block(9, bytes(24) if raw is None else raw)
    if location:
        data = entry(13, "location", location) + number(14, 1)
    return shape + number(2, kind) + block(8, "w") + data


def model(graph: bytes = b"", more: bytes = b"") -> bytes:
    whole = block(1, block(4, "Relu")) + block(2, "g") + graph
    head = number(1, 8) + block(2, "pytorch") + block(3, "2.4")
    return head + block(7, whole) + block(8, block(1, "") + number(2, 17)) + more


def facts_of(data: bytes, folder: Path) -> Any:
    (folder / "m.onnx").write_bytes(data)
    facts = weights.load(Source(folder, "m.onnx")).facts
    jsonschema.validate(facts, SCHEMA)
    return facts


def test_what_a_model_says(tmp_path: Path) -> None:
    packed = block(1, varint(2) + varint(3)) + number(2, 16) + block(9, bytes(12))
    graph = block(5, tensor()) + block(5, packed)
    facts = facts_of(model(graph, entry(14, "license", "mit")), tmp_path)
    assert facts["well_formed"], facts["problems"]
    assert facts["files"][0]["header_checked"]
    assert facts["metadata"] == {
        "ir_version": 8,
        "producer_name": "pytorch",
        "producer_version": "2.4",
        "opset.ai.onnx": 17,
        "property.license": "mit",
    }
    assert facts["tensors"] == 2
    assert facts["parameters"] == 12
    assert facts["dtypes"] == {"F32": 1, "BF16": 1}
    assert not facts["executable"]


def test_tensors_and_graphs_in_nodes(tmp_path: Path) -> None:
    inner = block(5, tensor())
    node = block(4, "If") + block(5, block(1, "then") + block(6, inner))
    constant = block(4, "Constant") + block(5, block(1, "value") + block(5, tensor()))
    custom = block(4, "Mine") + block(7, "com.evil")
    graph = block(1, node) + block(1, constant) + block(1, custom)
    facts = facts_of(model(graph), tmp_path)
    assert facts["tensors"] == 2
    assert facts["metadata"]["operator_domains"] == "com.evil"


@pytest.mark.parametrize("location", ["w.bin", "data/w.bin", "..w", "a..b/c"])
def test_external_data(location: str, tmp_path: Path) -> None:
    facts = facts_of(model(block(5, tensor(location=location))), tmp_path)
    assert facts["well_formed"]
    assert facts["metadata"]["external_data"] == location


@pytest.mark.parametrize(
    "location",
    ["../w", "/etc/passwd", "a/../../w", "\\\\host\\w", "C:/w", "..\\w", "a\0b", "a/..", "//h/w"],
)
def test_external_data_elsewhere(location: str, tmp_path: Path) -> None:
    facts = facts_of(model(block(5, tensor(location=location))), tmp_path)
    assert [p["code"] for p in facts["problems"]] == ["external_data_escape"]
    assert not facts["well_formed"]


def nested(depth: int) -> bytes:
    graph = b""
    for _ in range(depth):
        graph = block(1, block(5, block(6, graph)))
    return graph


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (number(1, 8), "header_invalid"),
        (model()[:-1], "header_truncated"),
        (model() + b"\x00\x00", "header_invalid"),
        (model() + b"\x0b", "header_invalid"),
        (model() + varint(7 << 3 | 2) + varint(10**9), "header_truncated"),
        (model() + b"\x08" + b"\xff" * 11, "header_invalid"),
        (model() + b"\x09\x00", "header_truncated"),
        (model() + number(7, 5), "header_invalid"),
        (model() + number(2, 5), "header_invalid"),
        (model() + block(2, b"\xff"), "header_invalid"),
        (model(block(5, tensor(kind=99))), "dtype_unknown"),
        (model(block(5, tensor(raw=bytes(23)))), "tensor_size"),
        (model(block(5, tensor(dims=(2**63, 2)))), "tensor_shape"),
        (model(block(5, tensor(dims=(1,) * 65))), "tensor_shape"),
        (model(nested(20)), "header_too_large"),
    ],
)
def test_what_is_malformed(data: bytes, code: str, tmp_path: Path) -> None:
    facts = facts_of(data, tmp_path)
    assert [p["code"] for p in facts["problems"]] == [code]
    assert not facts["well_formed"]


def test_too_many_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adjudge.documents.weights_onnx._MAX_FIELDS", 100)
    facts = facts_of(model(number(3, 1) * 200), tmp_path)
    assert [p["code"] for p in facts["problems"]] == ["header_too_large"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_bytes_end_in_facts(data: st.DataObject, tmp_path: Path) -> None:
    whole = bytearray(model(block(5, tensor()) + block(5, tensor(location="w"))))
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    facts_of(b"\x08" + bytes(whole[1:]), tmp_path)
