"""Decision records in, a log written in batches out.

Records wait in a bounded queue for one writing thread; when the queue is full the caller
waits, so that nothing is dropped.  Closing writes what is left.  Where the log is required, the
caller waits until the record is stored; those who wait at the same time share a batch.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeAlias

from adjudge.decision.model import Decision
from adjudge.errors import AdjudgeError

_Waiting: TypeAlias = tuple[Decision, "Future[None]"]

MAX_WAITING = 10_000
MAX_BATCH = 500


class Recorder:
    """Writes decisions in the background.

    ``append`` stores a batch; ``on_error`` is told when that fails.  A log that failed
    makes :attr:`failed` true until a batch is stored again.  With ``required`` nothing may be
    answered that is not stored.
    """

    def __init__(
        self,
        append: Callable[[Sequence[Decision]], object],
        on_error: Callable[[str], None],
        *,
        required: bool = False,
    ) -> None:
        self._append = append
        self._on_error = on_error
        self.required = required
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(MAX_WAITING)
        self.failed = False
        self._thread = threading.Thread(target=self._work, name="decision-log", daemon=True)
        self._thread.start()

    def put(self, decision: Decision) -> None:
        """Hand over a decision; waits while the queue is full, and with ``required`` until the
        decision is stored.  Only then it raises what storing raised."""
        stored: Future[None] = Future()
        self._queue.put((decision, stored))
        if self.required:
            stored.result()

    def close(self) -> None:
        """Write what waits, then stop."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            batch = [first]
            last = False
            while len(batch) < MAX_BATCH:
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    last = True
                    break
                batch.append(item)
            self._store(batch)
            if last:
                return

    def _store(self, batch: list[_Waiting]) -> None:
        try:
            self._append([decision for decision, _ in batch])
            self.failed = False
        except AdjudgeError as e:
            self.failed = True
            self._on_error(f"{len(batch)} decisions could not be logged: {e}")
            for _, stored in batch:
                stored.set_exception(e)
        else:
            for _, stored in batch:
                stored.set_result(None)
