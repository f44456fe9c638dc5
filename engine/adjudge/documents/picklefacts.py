"""A pickle stream in, the imports it would make out; nothing is ever unpickled.

A pickle is a program.  It can only run what it imports, so its imports are listed twice: by
picklescan, and by following the stack machine here, which keeps constant memory, counts
opcodes and knows where the stream ends.  What either finds is judged by an allow-list of
functions that only rebuild tensors and containers; what cannot be followed counts as harmful.
"""

from __future__ import annotations

import io
import logging
import pickletools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

MAX_PICKLE_BYTES: Final = 256 * 1024 * 1024
MAX_OPCODES: Final = 1_000_000
"""More than any state dict needs; picklescan keeps every opcode in memory."""

PICKLE_STARTS: Final = tuple(bytes((0x80, version)) for version in range(6))
"""How pickles of protocol 2 and later begin; 0 and 1 have no mark."""

_MARK = object()
_OPAQUE = object()
_TEXT_OPCODES = frozenset(
    (
        *("SHORT_BINUNICODE", "UNICODE", "BINUNICODE", "BINUNICODE8"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING"),
    )
)
_UNKNOWN = "?"
_TORCH_MAGIC = 0x1950A86A20F9469CFC6C
_TORCH_STREAMS = 5
"""A legacy torch file: magic, protocol, system, the object, storage keys; then raw bytes."""

# picklescan reports findings through logging; they end in facts instead.
logging.getLogger("picklescan").addHandler(logging.NullHandler())

ALLOWED: Final[dict[str, frozenset[str]]] = {
    "collections": frozenset({"OrderedDict"}),
    "_codecs": frozenset({"encode"}),
    "builtins": frozenset({"bytearray", "complex", "frozenset", "set", "slice"}),
    "torch": frozenset(
        {"Size", "device", "bfloat16", "bool", "complex32", "complex64", "complex128"}
        | {"float16", "float32", "float64", "half", "float", "double", "uint8", "int8"}
        | {"int16", "int32", "int64", "qint8", "quint8", "qint32", "per_tensor_affine"}
        | {"float8_e4m3fn", "float8_e5m2"}
    ),
    "torch._utils": frozenset(
        {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter"}
        | {"_rebuild_parameter_with_state", "_rebuild_qtensor", "_rebuild_sparse_tensor"}
        | {"_rebuild_meta_tensor_no_storage"}
    ),
    "torch.nn.parameter": frozenset({"Parameter"}),
    "torch.serialization": frozenset({"_get_layout"}),
    "torch.storage": frozenset({"TypedStorage", "UntypedStorage", "_TypedStorage"}),
    "numpy": frozenset({"dtype", "ndarray"}),
    "numpy.core.multiarray": frozenset({"_reconstruct", "scalar"}),
    "numpy._core.multiarray": frozenset({"_reconstruct", "scalar"}),
    "numpy.core.numeric": frozenset({"_frombuffer"}),
    "numpy._core.numeric": frozenset({"_frombuffer"}),
}
"""Imports that rebuild data and do nothing else, by module.  Names are compared exactly: a
dotted name would walk into the attributes of an allowed object."""

_PYTHON2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_TORCH_STORAGE = re.compile(r"[A-Z][A-Za-z0-9]*Storage")


def is_allowed(module: str, name: str) -> bool:
    """Whether importing ``name`` from ``module`` is known to be harmless."""
    module = _PYTHON2.get(module, module)
    if module == "torch" and _TORCH_STORAGE.fullmatch(name):
        return True
    return name in ALLOWED.get(module, ())


@dataclass
class PickleFacts:
    """What a pickle imports (``imports``: pairs of module and name, sorted), and why it could
    not be followed (``errors``); ``streams`` counts the pickles in it that ended properly."""

    imports: set[tuple[str, str]] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    streams: int = 0
    torch_legacy: bool = False

    def harmful(self) -> list[tuple[str, str]]:
        """The imports that are not known to be harmless, sorted."""
        return sorted(pair for pair in self.imports if not is_allowed(*pair))

    @property
    def executable(self) -> bool:
        """Whether unpickling may run code that is not known to be harmless."""
        return bool(self.errors) or bool(self.harmful())


def scan_pickle(data: bytes) -> PickleFacts:
    """Every import in the pickles that ``data`` consists of, one after the other.

    ``data`` may be anything; errors never raise.  Bytes after the last pickle are an error,
    but in legacy torch files, where storages follow.  More than :data:`MAX_PICKLE_BYTES` are
    not looked at: a caller that has more gives one byte more.
    """
    facts = PickleFacts()
    _walk(data, facts)
    if len(data) > MAX_PICKLE_BYTES and not (facts.torch_legacy and not facts.errors):
        facts.errors.append(f"the pickle is larger than {MAX_PICKLE_BYTES >> 20} MiB")
        return facts
    if not facts.errors or facts.imports:
        _ask_picklescan(data, facts)
    return facts


# --- following the stack machine --------------------------------------------------------------


def _walk(data: bytes, facts: PickleFacts) -> None:
    stream, budget = io.BytesIO(data), MAX_OPCODES
    while stream.tell() < len(data):
        if facts.torch_legacy and facts.streams >= _TORCH_STREAMS:
            return
        machine = _Machine(facts)
        try:
            for opcode, argument, _ in pickletools.genops(stream):
                machine.step(opcode, argument)
                budget -= 1
                if not budget:
                    facts.errors.append(f"the pickle has more than {MAX_OPCODES} opcodes")
                    return
        except _Unfollowable as error:
            facts.errors.append(str(error))
            return
        except Exception as error:  # pickletools raises whatever its decoders raise
            facts.errors.append(f"not a well-formed pickle: {type(error).__name__}")
            return
        if facts.streams == 0 and machine.only_integer == _TORCH_MAGIC:
            facts.torch_legacy = True
        facts.streams += 1


class _Unfollowable(Exception):
    """The stack machine would fail, or would do what cannot be known."""


class _Machine:
    """The stack of one pickle; of values only texts are known, as imports are made of them."""

    def __init__(self, facts: PickleFacts) -> None:
        self._facts = facts
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self.only_integer: int | None = None

    def step(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        """Do what ``opcode`` does to the stack and the memo."""
        name = opcode.name
        if name in _TEXT_OPCODES:
            self._stack.append(argument if isinstance(argument, str) else _OPAQUE)
        elif name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
            key = len(self._memo) if argument is None else int(argument)
            self._memo[key] = self._top()
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self._stack.append(self._memo.get(int(argument), _OPAQUE))
        elif name == "DUP":
            self._stack.append(self._top())
        elif name == "MARK":
            self._stack.append(_MARK)
        elif name == "POP":
            self._pop()
        elif name == "STACK_GLOBAL":
            imported, module = self._pop(), self._pop()
            self._import(module, imported)
            self._stack.append(_OPAQUE)
        elif name in ("EXT1", "EXT2", "EXT4"):
            raise _Unfollowable("the pickle imports through the extension registry")
        else:
            if name in ("GLOBAL", "INST"):
                self._import(*str(argument).split(" ", 1))
            if name in ("LONG1", "LONG", "LONG4") and not self._stack:
                self.only_integer = argument
            self._apply(opcode)

    def _import(self, module: Any, imported: Any = _UNKNOWN) -> None:
        pair = tuple(part if isinstance(part, str) else _UNKNOWN for part in (module, imported))
        self._facts.imports.add((pair[0], pair[1]))

    def _apply(self, opcode: pickletools.OpcodeInfo) -> None:
        """The stack effect that pickletools documents; results are not known."""
        before = opcode.stack_before
        if pickletools.markobject in before:
            while self._pop() is not _MARK:
                pass
            before = before[: before.index(pickletools.markobject)]
        for _ in before:
            self._pop()
        self._stack.extend([_OPAQUE] * len(opcode.stack_after))

    def _top(self) -> Any:
        if not self._stack:
            raise _Unfollowable("the pickle uses an empty stack")
        return self._stack[-1]

    def _pop(self) -> Any:
        self._top()
        return self._stack.pop()


# --- picklescan -------------------------------------------------------------------------------


def _ask_picklescan(data: bytes, facts: PickleFacts) -> None:
    # Loading it costs as much as reading an SBOM: only runs that meet a pickle pay it.
    from picklescan.scanner import scan_pickle_bytes

    stream = io.BytesIO(data)
    streams = _TORCH_STREAMS if facts.torch_legacy else 1
    try:
        for _ in range(streams):
            result = scan_pickle_bytes(stream, "", multiple_pickles=not facts.torch_legacy)
            facts.imports |= {(g.module, g.name) for g in result.globals}
            if result.scan_err and not facts.errors:
                facts.errors.append("picklescan cannot follow the pickle")
    except Exception as error:  # it documents none, and any means that it did not finish
        facts.errors.append(f"picklescan failed: {type(error).__name__}")


def shown(imports: Iterable[tuple[str, str]]) -> list[str]:
    """Imports as ``module.name``, sorted, each once."""
    return sorted({f"{module}.{name}" for module, name in imports})
