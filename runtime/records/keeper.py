"""A worker's usage rows from request to database: where they go, begun and ended together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from runtime import log
from runtime.records.ingest import SPOOL_BYTES, Ingester
from runtime.records.journal import FOLDER, Journal
from runtime.records.store import DATABASE_URL, FILE, Unusable, check_place, open_store

DATA_DIR: Final = "interlock-data"  # beneath the working directory, where none is given


class Keeper:
    """The journal that requests write to, and who brings it into the database."""

    def __init__(
        self,
        data: Path,
        place: str,
        spool_bytes: int = SPOOL_BYTES,
        keep_days: int | None = None,
    ) -> None:
        """Begins the journal. Raises OSError."""
        self._loop: asyncio.AbstractEventLoop | None = None
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.journal = Journal(data / FOLDER, self._say)
        connect = partial(open_store, place)
        # opens the rows for who only reads them
        self.read = partial(open_store, place, read_only=True)
        self.ingester = Ingester(
            data, connect, self._say, spool_bytes=spool_bytes, keep_days=keep_days
        )

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins to sync and to ingest; what there is to tell is told in the loop."""
        self._loop = loop
        self.journal.start()
        self.ingester.start()

    def stop(self) -> None:
        """Writes and ingests what is left, for some seconds at most. Not for the loop's thread."""
        self.journal.close()
        self.ingester.stop()

    def _say(self, level: str, event: str, **fields: object) -> None:
        said = partial(log.log, level, event, **fields)
        if self._loop is None or self._loop.is_closed():
            said()
        else:
            self._loop.call_soon_threadsafe(said)


def keep(
    data: Path | None,
    env: Mapping[str, str],
    spool_bytes: int = SPOOL_BYTES,
    keep_days: int | None = None,
) -> Keeper | None:
    """Who keeps the rows; None, and a warning, where nothing was asked for and nothing works.

    `data` is the directory that was asked for. Raises Unusable.
    """
    url = env.get(DATABASE_URL, "")
    if url:
        check_place(url)
    folder = Path(DATA_DIR) if data is None else data
    try:
        return Keeper(folder, url or str(folder / FILE), spool_bytes, keep_days)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        if data is not None or url:
            raise Unusable(
                f"the data directory `{folder}` cannot be used: {reason}; "
                "name one that can be written with --data-dir or INTERLOCK_DATA_DIR"
            ) from error
        log.log("warning", "no-usage-rows", error=reason)
        return None
