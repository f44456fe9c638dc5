"""Cases in, the answers of a real OPA out, over a Unix socket of a server we start."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

STARTED_WITHIN = 20.0
PANIC = "opa_panic"


def binary() -> str | None:
    """The path of an ``opa`` on this machine, or None."""
    found = shutil.which("opa")
    installed = Path.home() / "go" / "bin" / "opa"
    return found or (str(installed) if installed.exists() else None)


class OpaError(Exception):
    """OPA answered with errors; ``codes`` are theirs, ``stage`` is compile or eval."""

    def __init__(self, stage: str, errors: list[dict[str, Any]]) -> None:
        super().__init__("; ".join(f"{e.get('code')}: {e.get('message')}" for e in errors))
        self.stage = stage
        # After ten errors comes one more that says so.
        told = [e for e in errors if e.get("message") != "error limit reached"]
        self.codes = sorted({str(e.get("code")) for e in told})


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


class Opa:
    """A running OPA; use it in ``with``."""

    def __init__(self, executable: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="opa-")
        self._socket = f"{self._folder.name}/s"
        self._command = [executable, "run", "--server", "--addr", f"unix://{self._socket}"]
        self._command += ["--log-level", "error", "--disable-telemetry"]
        self._loaded: list[str] = []
        self.reached = 0
        """How many modules the last load has come to."""

    def __enter__(self) -> Opa:
        self._start()
        return self

    def _start(self) -> None:
        Path(self._socket).unlink(missing_ok=True)
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + STARTED_WITHIN
        while not Path(self._socket).exists():
            if time.monotonic() > end or self._process.poll() is not None:
                self.__exit__(None, None, None)
                raise RuntimeError("opa does not start")
            time.sleep(0.02)
        self._connection = _Connection(self._socket)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def _ask(self, method: str, path: str, body: str = "") -> tuple[int, Any]:
        try:
            self._connection.request(method, path, body.encode(errors="replace"))
            response = self._connection.getresponse()
            text = response.read()
        except (http.client.HTTPException, OSError) as error:
            # It panics now and then; what was loaded is lost with the process.
            self._process.kill()
            self._process.wait()
            self._start()
            self._loaded = []
            raise OpaError("eval", [{"code": PANIC, "message": repr(error)}]) from None
        return response.status, json.loads(text, parse_float=Decimal) if text.strip() else {}

    def load(self, modules: dict[str, str], data: Any) -> None:
        """Replace the policies and documents; raises :class:`OpaError`."""
        for name in reversed(self._loaded):
            self._ask("DELETE", f"/v1/policies/{name}")
        self._loaded = []
        self.reached = 0
        self._ask("PUT", "/v1/data", json.dumps(data))
        for name, text in modules.items():
            self.reached += 1
            status, answer = self._ask("PUT", f"/v1/policies/{name}", text)
            if status != 200:
                raise OpaError("compile", answer.get("errors") or [answer])
            self._loaded.append(name)

    def value(self, path: tuple[str, ...], input_: Any, strict: bool = False) -> Any:
        """The document at a path below ``data``, ``...`` when undefined."""
        question = json.dumps({} if input_ is ... else {"input": input_})
        flags = "?strict-builtin-errors=true" if strict else ""
        status, answer = self._ask("POST", f"/v1/data/{'/'.join(path)}{flags}", question)
        if status != 200:
            raise OpaError("eval", answer.get("errors") or [answer])
        return answer.get("result", ...)
