"""Another artifact in the place of the one in service: made ready aside, then swapped in one step.

What cannot be served changes nothing. It knows nothing of requests; those under way keep theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter

from runtime import log
from runtime.artifact import MANIFEST, Artifact, ArtifactError, load
from runtime.main import CannotRun
from runtime.memory import undisturbed
from runtime.serving import Serving
from runtime.state import State
from runtime.upstream import LocalProtocolError, MissingKeys, Upstreams
from runtime.vocabulary import Provider

_LOOK = 0.5  # seconds between two looks at the manifest
# Who copies files in any order may have the manifest before the rest: a refused one is tried again.
_FIRST_RETRY, _LAST_RETRY = 1.0, 64.0  # seconds, doubling
_SHORTEST_KEY = 16  # characters

Stamp = tuple[int, int, int, int]


def prepare(
    folder: Path, state_key: bytes | None, upstreams: Callable[[Mapping[str, Provider]], Upstreams]
) -> Serving:
    """The artifact in a folder, ready to be served. Raises CannotRun."""
    try:
        # resolved: a link that is turned meanwhile would lead to half of each
        artifact = load(folder.resolve())
        _demand_state_key(artifact, state_key)
        return Serving(artifact, upstreams(artifact.providers))
    except (ArtifactError, MissingKeys, LocalProtocolError, OSError, ValueError) as error:
        raise CannotRun(str(error)) from error


def stamp_of(folder: Path) -> Stamp | None:
    """What changes when the manifest is replaced; None while there is none."""
    try:
        found = (folder / MANIFEST).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class Reloader:
    """Watches the manifest of one folder, and reloads when it changes or somebody asks.

    `stamp` is that of the artifact in service, taken before it was read.
    """

    def __init__(self, state: State, folder: Path, stamp: Stamp | None) -> None:
        self._state = state
        self._folder = folder
        self._stamp = stamp
        self._task: asyncio.Task[None] | None = None
        self._asked = self._stopped = False
        self._reason = ""  # why the last one was refused
        self._retry_in = 0.0
        self._retry_at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins to look."""
        self._timer = asyncio.get_running_loop().call_later(_LOOK, self._look)

    def ask(self) -> None:
        """Reloads whether or not the manifest has changed: a key file may have."""
        self._asked = True
        if self._task is None and not self._stopped:
            self._begin()

    async def stop(self) -> None:
        """Looks no more; waits for a reload that has begun, and begins none after it."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            await self._task

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_LOOK, self._look)
        stamp = stamp_of(self._folder)
        if self._task is not None or stamp is None:
            return
        if stamp != self._stamp:
            self._reason = ""
            self._begin()
        elif self._retry_at is not None and loop.time() >= self._retry_at:
            self._begin()

    def _begin(self) -> None:
        if self._asked:
            self._asked, self._reason = False, ""
        self._retry_at = None
        self._stamp = stamp_of(self._folder)
        self._task = asyncio.get_running_loop().create_task(self._reload())

    async def _reload(self) -> None:
        began = perf_counter()
        try:
            self._put_in_service(await asyncio.to_thread(self._prepare), began)
        except CannotRun as error:
            self._refuse(str(error))
        except Exception as exc:  # noqa: BLE001 - whatever it is, the old one serves on
            log.log_internal(exc)
            self._refuse(type(exc).__name__)
        self._task = None
        if self._asked and not self._stopped:
            self._begin()

    def _prepare(self) -> Serving:
        state = self._state
        with undisturbed():
            return prepare(self._folder, state.state_key, state.serving.upstreams.renewed)

    def _put_in_service(self, serving: Serving, began: float) -> None:
        state = self._state
        state.serving = serving
        serving.upstreams.keep()
        state.reloads.ok += 1
        self._reason = ""
        artifact = serving.artifact
        log.log(
            "info",
            "reloaded",
            name=artifact.name,
            artifact=artifact.digest,
            ms=round((perf_counter() - began) * 1000, 1),
        )

    def _refuse(self, reason: str) -> None:
        """Says it once, and tries again for a while: the rest may still be on its way."""
        if reason != self._reason:
            self._reason, self._retry_in = reason, _FIRST_RETRY
            self._state.reloads.failed += 1
            served = self._state.artifact.digest
            log.log("error", "reload-failed", reason=reason, artifact=served)
        if self._retry_in <= _LAST_RETRY:
            self._retry_at = asyncio.get_running_loop().time() + self._retry_in
            self._retry_in *= 2


def _demand_state_key(artifact: Artifact, key: bytes | None) -> None:
    stateful = any(s.stateful for t in artifact.targets.values() for s in t.skins.values())
    if stateful and len(key or b"") < _SHORTEST_KEY:
        raise CannotRun(
            f"INTERLOCK_STATE_KEY is missing or shorter than {_SHORTEST_KEY} characters; "
            "this deployment has stateful skins, whose ids are signed with it"
        )
