"""Decision records in, a log written in batches out.

Records wait in a bounded queue for one writing thread; when the queue is full the caller
waits, so that nothing is dropped.  Closing writes what is left.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from adjudge.decision.model import Decision
from adjudge.errors import AdjudgeError

MAX_WAITING = 10_000
MAX_BATCH = 500


class Recorder:
    """Writes decisions in the background.

    ``append`` stores a batch; ``on_error`` is told when that fails.  A log that failed
    makes :attr:`failed` true until a batch is stored again.
    """

    def __init__(
        self,
        append: Callable[[Sequence[Decision]], None],
        on_error: Callable[[str], None],
    ) -> None:
        self._append = append
        self._on_error = on_error
        self._queue: queue.Queue[Decision | None] = queue.Queue(MAX_WAITING)
        self.failed = False
        self._thread = threading.Thread(target=self._work, name="decision-log", daemon=True)
        self._thread.start()

    def put(self, decision: Decision) -> None:
        """Hand over a decision; waits while the queue is full."""
        self._queue.put(decision)

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

    def _store(self, batch: list[Decision]) -> None:
        try:
            self._append(batch)
            self.failed = False
        except AdjudgeError as e:
            self.failed = True
            self._on_error(f"{len(batch)} decisions could not be logged: {e}")
