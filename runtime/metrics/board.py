"""All numbers of one worker: its own counts, and what other rooms tell when they are asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from runtime.metrics.counts import Counts
from runtime.metrics.peers import Peers
from runtime.metrics.samples import Sample, Samples, add, closed, counters, merge

Source = Callable[[], Iterable[Sample]]


class Board:
    """One per worker. `counts` is a recorder; `register` is for rooms that keep numbers themselves.

    Among `peers` the numbers go on where those of the worker's predecessor ended, and the whole is
    that of all workers. `worker` is its number.
    """

    def __init__(self, peers: Peers | None = None) -> None:
        self.counts = Counts()
        self.worker = peers.name if peers is not None else "1"
        self.peers = peers
        self._inherited = peers.inherited() if peers is not None else {}
        self._sources: list[Source] = []
        self._unread = 0
        self._left = False
        self._writing = threading.Lock()

    def register(self, source: Source) -> None:
        """Asks `source` for its numbers with every look. It must be quick, for the loop waits.

        Its counters begin at 0 with the process; metrics and labels are those of the catalogue.
        """
        self._sources.append(source)

    def ask(self) -> list[Sample]:
        """What the sources tell; to be called on the loop, where nothing changes meanwhile.

        The own counts are added up: they are those of now.
        """
        self.counts.fold()
        told: list[Sample] = []
        for source in self._sources:
            try:
                told += [Sample(name, closed(name, labels), now) for name, labels, now in source()]
            except Exception:  # noqa: BLE001 - one room in disorder does not hide the others
                self._unread += 1
        told.append(Sample("interlock_workers", (), 1))
        told.append(Sample("interlock_unread_sources_total", (), self._unread))
        return told

    def own(self, told: Iterable[Sample]) -> Samples:
        """The numbers of this worker, and the counters of those that had its place before.

        In any thread: a request that ends after it was asked is in the next look.
        """
        samples = self.counts.samples()
        merge(samples, self._inherited)
        for name, labels, value in told:
            add(samples, name, labels, value)
        return samples

    def show(self, told: Iterable[Sample]) -> Samples:
        """Lets the other workers see this one's numbers, which it returns. Blocks for a file."""
        with self._writing:
            samples = self.own(told)
            if self.peers is not None:
                self.peers.write(counters(samples) if self._left else samples)
        return samples

    def leave(self, told: Iterable[Sample]) -> None:
        """Shows the counters for the last time: a worker that ends has no gauges."""
        self._left = True
        self.show(told)

    def whole(self, told: Iterable[Sample]) -> Samples:
        """The numbers of all workers. Blocks for their files.

        The own ones are shown first: what one scrape has told, the next one tells too when this
        worker has died meanwhile.
        """
        samples = self.show(told)
        if self.peers is not None:
            merge(samples, self.peers.others())
        return samples
