"""Headers of safetensors, GGUF and NumPy files: what they say, and every rule they can break."""

from __future__ import annotations

import hashlib
import json
import pickle
import random
import struct
from typing import Any

import pytest
from tests.weights.conftest import (
    HARMFUL,
    Look,
    codes,
    gguf,
    gguf_tensor,
    gguf_text,
    npy,
    safetensors,
    text,
)


def tensor(dtype: str, shape: list[Any], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


# --- safetensors ------------------------------------------------------------------------------


def test_safetensors(look: Look) -> None:
    tensors = {
        "b": tensor("F16", [2, 2], 16, 24),
        "a": tensor("F32", [2, 2], 0, 16),
        "e": tensor("F32", [0, 5], 24, 24),
        "q": tensor("F4", [4], 24, 26),
    }
    data = safetensors(tensors, bytes(26), {"format": "pt", "long": "x" * 5000})
    facts = look(data, "model.safetensors")
    assert facts["format"] == "safetensors"
    assert facts["well_formed"]
    assert not facts["executable"]
    assert (facts["tensors"], facts["parameters"]) == (4, 12)
    assert facts["dtypes"] == {"F16": 1, "F32": 2, "F4": 1}
    assert facts["metadata"]["format"] == "pt"
    assert len(facts["metadata"]["long"]) < 4200
    assert facts["sha256"] == hashlib.sha256(data).hexdigest()
    assert facts["files"][0]["header_checked"]
    assert facts["problems"] == []


def test_safetensors_is_known_by_its_content(look: Look) -> None:
    assert look(safetensors(), "model.bin")["format"] == "safetensors"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\x01", "header_truncated"),
        (struct.pack("<Q", 2**62), "header_too_large"),
        (struct.pack("<Q", 100) + b"{}", "header_truncated"),
        (safetensors(header="[]", data=b""), "header_invalid"),
        (safetensors(header=" {}", data=b""), "header_invalid"),
        (safetensors(header="{", data=b""), "header_invalid"),
        (safetensors(header='{"a":NaN}', data=b""), "header_invalid"),
        (safetensors(header='{"a":"\\ud800"}', data=b""), "header_invalid"),
        (safetensors(header='{"a":' * 3000, data=b""), "header_invalid"),
        (safetensors(header='{"a":5}', data=b""), "header_invalid"),
        (safetensors(header='{"a":{},"a":{}}', data=b""), "duplicate_key"),
        (safetensors(header='{"__metadata__":{"a":5}}', data=b""), "metadata_invalid"),
        (safetensors(header='{"__metadata__":[]}', data=b""), "metadata_invalid"),
        (safetensors({"a": tensor("F31", [2], 0, 8)}), "dtype_unknown"),
        (safetensors({"a": tensor("F32", [3], 0, 8)}), "tensor_size"),
        (safetensors({"a": tensor("F32", [2**40, 2**40], 0, 8)}), "tensor_size"),
        (safetensors({"a": tensor("F32", [-2], 0, 8)}), "header_invalid"),
        (safetensors({"a": tensor("F32", [2.0], 0, 8)}), "header_invalid"),
        (safetensors({"a": tensor("F32", [True], 0, 4)}), "header_invalid"),
        (safetensors({"a": tensor("F32", [2], 8, 0)}), "tensor_size"),
        (safetensors({"a": {**tensor("F32", [2], 0, 8), "more": 1}}), "header_invalid"),
        (safetensors({"a": tensor("F32", [1], 4, 8)}), "tensor_gap"),
        (
            safetensors({"a": tensor("F32", [2], 0, 8), "b": tensor("F32", [1], 4, 8)}),
            "tensor_gap",
        ),
        (safetensors(data=bytes(9)), "trailing_bytes"),
        (safetensors(data=bytes(7)), "trailing_bytes"),
        (safetensors(data=bytes(8) + HARMFUL), "trailing_bytes"),
    ],
)
def test_safetensors_that_breaks_a_rule(data: bytes, code: str, look: Look) -> None:
    facts = look(data, "model.safetensors")
    assert codes(facts) == [code]
    assert not facts["well_formed"]


# --- GGUF -------------------------------------------------------------------------------------


def array(kind: int, length: int, data: bytes) -> bytes:
    return struct.pack("<IIQ", 9, kind, length) + data


def test_gguf(look: Look) -> None:
    template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    metadata = {
        "general.architecture": gguf_text("llama"),
        "general.license": gguf_text("apache-2.0"),
        "general.alignment": struct.pack("<II", 4, 32),
        "llama.eps": struct.pack("<If", 6, float("nan")),
        "llama.on": struct.pack("<I?", 7, True),
        "tokenizer.ggml.tokens": array(8, 2, text("a") + text("b")),
        "tokenizer.ggml.scores": array(6, 2, struct.pack("<2f", 0.5, 1)),
        "nested": array(9, 1, struct.pack("<IQ", 0, 3) + b"abc"),
        "tokenizer.chat_template": gguf_text(template),
    }
    tensors = [gguf_tensor("w", [32, 2], 2, 0), gguf_tensor("n", [4], 0, 64)]
    facts = look(gguf(metadata, tensors, bytes(80)), "m.gguf")
    assert facts["well_formed"], facts["problems"]
    assert (facts["format"], facts["architecture"], facts["license"]) == (
        "gguf",
        "llama",
        "apache-2.0",
    )
    assert (facts["tensors"], facts["parameters"]) == (2, 68)
    assert facts["dtypes"] == {"Q4_0": 1, "F32": 1}
    assert facts["metadata"]["llama.eps"] == "nan"
    assert facts["metadata"]["llama.on"] is True
    assert "tokenizer.ggml.tokens" not in facts["metadata"]
    digest = hashlib.sha256(template.encode()).hexdigest()
    assert facts["chat_template_digest"] == digest
    assert facts["chat_template_digests"] == [digest]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GGUF", "header_truncated"),
        (b"GGUX" + bytes(50), "header_invalid"),
        (gguf(version=1), "version_unsupported"),
        (gguf(version=99), "version_unsupported"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**40, 0), "header_too_large"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**40), "header_too_large"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**60), "header_truncated"),
        (gguf({"a": struct.pack("<I", 77)}), "header_invalid"),
        (gguf({"a": array(77, 1, b"")}), "header_invalid"),
        (gguf({"a": array(0, 2**60, b"")}), "header_truncated"),
        (gguf({"a": array(8, 2**60, b"")}), "header_truncated"),
        (gguf({"a": array(9, 1, b"")[:-4] * 8}), "header_truncated"),
        (gguf({"a": struct.pack("<I", 8) + struct.pack("<Q", 2) + b"\xff\xfe"}), "header_invalid"),
        (gguf({"general.alignment": struct.pack("<II", 4, 3)}), "header_invalid"),
        (gguf(tensors=[gguf_tensor("w", [1] * 9, 0, 0)]), "header_invalid"),
        (gguf(tensors=[gguf_tensor("w", [4], 99, 0)]), "dtype_unknown"),
        (gguf(tensors=[gguf_tensor("w", [4], 0, 5)]), "tensor_size"),
        (gguf(tensors=[gguf_tensor("w", [5], 2, 0)]), "tensor_size"),
        (gguf(tensors=[gguf_tensor("w", [2**40], 0, 0)]), "tensor_size"),
        (gguf(tensors=[gguf_tensor("w", [4], 0, 0)] * 2), "duplicate_key"),
        (
            gguf(tensors=[gguf_tensor("w", [16], 0, 0), gguf_tensor("v", [4], 0, 32)]),
            "tensor_overlap",
        ),
    ],
)
def test_gguf_that_breaks_a_rule(data: bytes, code: str, look: Look) -> None:
    facts = look(data, "m.gguf")
    assert codes(facts) == [code]
    assert not facts["well_formed"]


def test_gguf_key_twice(look: Look) -> None:
    data = gguf({"a": gguf_text("x"), "b": gguf_text("y")})
    assert codes(look(data.replace(text("b"), text("a")), "m.gguf")) == ["duplicate_key"]


# --- NumPy ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2, 3])
def test_numpy(version: int, look: Look) -> None:
    facts = look(npy("'<f4'", version=version), "a.npy")
    assert (facts["format"], facts["well_formed"], facts["executable"]) == ("numpy", True, False)
    assert (facts["parameters"], facts["dtypes"]) == (2, {"<f4": 1})


def test_numpy_objects_are_pickles(look: Look) -> None:
    good = look(npy("'|O'", data=pickle.dumps([1, 2])), "a.npy")
    assert good["pickle"]
    assert not good["executable"]
    for descr in ("'|O'", "[('x', '<f4'), ('y', '|O')]", "[('x', [('z', 'O')])]", "('|O', (2,))"):
        bad = look(npy(descr, data=HARMFUL), "a.bin")
        assert bad["executable"], descr
        assert bad["disallowed_globals"] == ["os.system"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x93NUMPY", "version_unsupported"),
        (npy("'<f4'").replace(b"\x93NUMPY\x01", b"\x93NUMPY\x09"), "version_unsupported"),
        (b"\x93NUMPY\x01\x00\x10\x00{", "header_truncated"),
        (b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b"{", "header_too_large"),
        (npy("__import__('os')"), "header_invalid"),
        (npy("'<f4'", shape="[2]"), "header_invalid"),
        (npy("'<f4'", shape="(-2,)"), "header_invalid"),
        (npy("(" * 3000), "header_invalid"),
        (npy("'<f4'", data=bytes(9)), "tensor_size"),
    ],
)
def test_numpy_that_breaks_a_rule(data: bytes, code: str, look: Look) -> None:
    facts = look(data, "a.npy")
    assert codes(facts) == [code]
    assert not facts["well_formed"]


def test_random_damage_never_raises(look: Look) -> None:
    chance = random.Random(5)
    samples = {
        "a.safetensors": safetensors(metadata={"a": "b"}),
        "a.gguf": gguf({"general.architecture": gguf_text("x"), "n": array(8, 1, text("y"))}),
        "a.npy": npy("'<f4'"),
    }
    for _ in range(400):
        name = chance.choice(sorted(samples))
        data = bytearray(samples[name])
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        json.dumps(look(bytes(data[: chance.randint(1, len(data))]), name))
