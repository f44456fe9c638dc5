"""Checkpoints of logs in, cosignatures of a witness out (c2sp.org/tlog-cosignature).

A witness signs a checkpoint only when it continues the last one it saw of that log, and remembers
it before it lets the signature out.  So an operator who shows two histories to two people would
need two witnesses that lie.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from adjudge.errors import InputError
from adjudge.ledger.checkpoint import Verified, verify_checkpoint
from adjudge.ledger.errors import LedgerError
from adjudge.ledger.note import Note, Signs, VerifierKey, cosign
from adjudge.ledger.proof import Consistency

SCHEMA: Final = "adjudge.witness/v1"
_MAX_STATE: Final = 16 * 1024 * 1024


class Witness:
    """A witness with its key and the file that holds what it saw.

    A file that is missing is one of a witness that saw nothing yet.
    """

    def __init__(
        self, name: str, signer: Signs, state: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self.name = name
        self._signer = signer
        self._state = state
        self._clock = clock

    def last_size(self, log: VerifierKey) -> int:
        """The size of the last checkpoint it saw of a log; 0 when it saw none.

        Raises InputError ``witness_state_invalid``.
        """
        last = self._last(self._read(), log)
        return 0 if last is None else last.checkpoint.size

    def cosign(self, proof: Consistency, log: VerifierKey) -> Note:
        """The checkpoint of a proof with the witness's signature.

        Raises :class:`~adjudge.ledger.errors.ProofError` when the proof does not verify or the
        checkpoint is not a continuation (``checkpoint_shrank``, ``checkpoint_inconsistent``),
        :class:`LedgerError` ``witness_clock_backwards``, InputError ``witness_state_invalid``,
        ``witness_state_unwritable``.  Then nothing is signed.
        """
        with self._locked():
            state = self._read()
            last = self._last(state, log)
            new = proof.verify(None if last is None else last.checkpoint, log)
            now = int(self._clock())
            before = state["logs"].get(log.name, {}).get("time", 0)
            if now < before:
                raise LedgerError(
                    "witness_clock_backwards",
                    f"the clock says {now}, and this log was witnessed at {before}",
                    hint="set the clock",
                )
            state["logs"][log.name] = {"checkpoint": str(new.note), "time": now}
            self._write(state)
            line = cosign(new.note, self.name, self._signer, now)
            others = [s for s in new.note.signatures if s.key_id != line.key_id]
            return Note(new.note.text, (*others, line))

    def _last(self, state: dict[str, Any], log: VerifierKey) -> Verified | None:
        known = state["logs"].get(log.name)
        if known is None:
            return None
        try:
            return verify_checkpoint(known["checkpoint"], log)
        except LedgerError as error:
            raise self._invalid(error.message) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Two processes of one witness must not sign two histories."""
        try:
            handle = os.open(f"{self._state}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except (OSError, ValueError) as error:
            raise self._unwritable(error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _read(self) -> dict[str, Any]:
        try:
            with self._state.open("rb") as file:
                data = file.read(_MAX_STATE)
        except FileNotFoundError:
            return {"schema": SCHEMA, "logs": {}}
        except (OSError, ValueError) as error:
            raise self._invalid(getattr(error, "strerror", None) or str(error)) from None
        try:
            state = json.loads(data)
            if state["schema"] != SCHEMA or not all(
                isinstance(log["checkpoint"], str) and isinstance(log["time"], int)
                for log in state["logs"].values()
            ):
                raise ValueError("it is of another version")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self._invalid(str(error)) from None
        found: dict[str, Any] = state
        return found

    def _write(self, state: dict[str, Any]) -> None:
        beside = self._state.with_name(f".{self._state.name}.{secrets.token_hex(8)}")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with open(os.open(beside, flags, 0o600), "w", encoding="utf-8") as file:
                json.dump(state, file, indent=1, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self._state)
            folder = os.open(self._state.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise self._unwritable(error) from None

    def _invalid(self, why: str) -> InputError:
        return InputError(
            "witness_state_invalid",
            f"what the witness saw ({self._state}) cannot be read: {why}",
            hint="restore it from a copy: a witness that forgets can be shown two histories",
        )

    def _unwritable(self, error: Exception) -> InputError:
        why = getattr(error, "strerror", None) or str(error)
        return InputError(
            "witness_state_unwritable", f"{self._state} cannot be written: {why.lower()}"
        )
