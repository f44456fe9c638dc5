"""Imports of pickles: what is listed, what is allowed, and what cannot be followed."""

from __future__ import annotations

import collections
import datetime
import importlib
import os
import pickle
import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.weights.conftest import HARMFUL, HARMLESS, imports

from adjudge.documents import picklefacts
from adjudge.documents.picklefacts import is_allowed, scan_pickle


class Calls:
    """Pickles to a call, which nothing here ever makes."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.parts = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.parts


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol(protocol: int) -> None:
    value = collections.OrderedDict(a=[1, (2, 3)], b={"x": {1, 2}}, c=b"bytes", d=1.5)
    good = scan_pickle(pickle.dumps(value, protocol=protocol))
    assert good.errors == []
    assert good.harmful() == []
    assert good.streams == 1
    assert not good.executable
    bad = scan_pickle(pickle.dumps(Calls(os.system, "id"), protocol=protocol))
    assert ("posix", "system") in bad.harmful()
    assert bad.executable


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps(Calls(importlib.import_module, "os")),
        pickle.dumps(datetime.datetime(2026, 1, 1)),
        pickle.dumps({}) + pickle.dumps(Calls(os.system, "id")),
        pickle.dumps(Calls(os.system, "id"))[:-5],
        pickle.dumps(Calls(os.system, "id"))[:-1],
        pickle.dumps([1, 2, 3])[:-1],
        pickle.dumps({}) + b"trailing bytes that are no pickle",
        # The memo hides the names from whoever looks at neighbouring opcodes only.
        b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94N0h\x00h\x01\x93.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"\x80\x04NN\x93.",
        b"\x80\x04)\x8c\x06system\x93.",
        b"\x80\x02\x82\x01.",
        b"\x80\x02\x83\x01\x00.",
        b"\x80\x020.",
        b"\x80\x02R.",
        b"\x80\x02h\x00.N",
        b"(S'id'\nios\nsystem\n.",
        imports(("torch", "load")),
        imports(("torch.storage", "_load_from_bytes")),
        imports(("torch._utils", "_rebuild_tensor_v2.__globals__"), protocol=4),
        imports(("numpy", "load")),
        imports(("builtins", "eval")),
        imports(("__builtin__", "getattr")),
        b"\x80\x02",
        b"no pickle at all",
        bytes(range(256)),
    ],
)
def test_not_known_to_be_harmless(data: bytes) -> None:
    assert scan_pickle(data).executable


def test_state_dict_is_harmless() -> None:
    found = scan_pickle(HARMLESS)
    assert not found.executable
    assert found.imports == {
        ("collections", "OrderedDict"),
        ("torch._utils", "_rebuild_tensor_v2"),
        ("torch", "FloatStorage"),
    }


@pytest.mark.parametrize(
    ("module", "name", "allowed"),
    [
        ("torch", "HalfStorage", True),
        ("torch", "storage", False),
        ("torch", "load", False),
        ("torch", "EvilStorage.x", False),
        ("torch.jit", "FloatStorage", False),
        ("__builtin__", "set", True),
        ("numpy._core.multiarray", "_reconstruct", True),
        ("numpy.core.multiarray", "fromfile", False),
        ("collections", "OrderedDict ", False),
        ("?", "?", False),
    ],
)
def test_allow_list(module: str, name: str, allowed: bool) -> None:
    assert is_allowed(module, name) == allowed


def test_legacy_torch_file() -> None:
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
    head = magic + pickle.dumps(1001, protocol=2) + pickle.dumps({"little_endian": True}, 2)
    keys = pickle.dumps(["0"], protocol=2)
    good = scan_pickle(head + HARMLESS + keys + os.urandom(200))
    assert good.torch_legacy
    assert not good.executable
    assert good.streams == 5
    assert scan_pickle(head + HARMFUL + keys + b"x" * 200).executable
    assert scan_pickle(head + HARMLESS + b"x" * 200).executable
    # The number alone does not make a file a torch file.
    assert scan_pickle(pickle.dumps(5, 2) + HARMLESS + b"x" * 200).executable


def test_too_many_opcodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picklefacts, "MAX_OPCODES", 100)
    found = scan_pickle(b"\x80\x02" + b"N0" * 100 + b"N.")
    assert found.errors == ["the pickle has more than 100 opcodes"]


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picklefacts, "MAX_PICKLE_BYTES", 50)
    assert scan_pickle(b"\x80\x02" + b"N0" * 100 + b"N.").executable
    assert not scan_pickle(b"\x80\x02N.").executable


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x8d" + b"\xff" * 8,
        b"\x80\x02X\xff\xff\xff\x7f",
        b"\x80\x02\x8b\xff\xff\xff\x7f",
        b"I" + b"9" * 5000 + b"\n.",
        b"(" * 100_000 + b".",
        b"\x80\x05\x97" * 50_000,
        b"\x80\x04\x95" + b"\xff" * 8 + b"N.",
    ],
)
def test_hostile_lengths(data: bytes) -> None:
    scan_pickle(data)


@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")
def test_random_damage_never_raises() -> None:
    chance = random.Random(3)
    samples = [HARMLESS, HARMFUL, pickle.dumps({"a": [1, 2.5, None, "x" * 50]}, 4)]
    for _ in range(600):
        data = bytearray(chance.choice(samples))
        for _ in range(chance.randint(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        scan_pickle(bytes(data))


def test_nothing_is_unpickled(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any, **__: Any) -> Any:
        raise AssertionError("a pickle was loaded")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, forbidden)
    assert scan_pickle(HARMFUL).executable
