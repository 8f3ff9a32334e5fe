"""The reloader by itself: wishes that come together, refusals that repeat, what is left behind."""

from __future__ import annotations

import asyncio
import gc
import json
from pathlib import Path

import pytest

from runtime import log
from runtime.main import CannotRun
from runtime.reload import Reloader, prepare, stamp_of
from runtime.serving import Serving
from runtime.state import State
from runtime.upstream import Upstreams
from tests.runtime.serving.deployment import YAML
from tests.support.package import write
from tests.support.polling import until
from tests.support.router import build


def state_of(folder: Path) -> tuple[State, Reloader]:
    stamp = stamp_of(folder)
    state = State(prepare(folder, None, lambda providers: Upstreams(providers, {})))
    return state, Reloader(state, folder, stamp)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "tiny")


def test_a_wish_during_a_reload_leads_to_another_for_a_key_may_have_come_since(folder):
    async def run() -> None:
        state, reloader = state_of(folder)
        for _ in range(3):
            reloader.ask()
        await until(lambda: state.reloads.ok == 2)
        await reloader.stop()
        assert (state.reloads.ok, state.reloads.failed) == (2, 0)

    asyncio.run(run())


def test_a_wish_at_the_end_begins_nothing_that_nobody_waits_for(folder):
    async def run() -> None:
        state, reloader = state_of(folder)
        reloader.ask()
        stopping = asyncio.create_task(reloader.stop())
        reloader.ask()
        await stopping
        reloader.ask()
        assert len(asyncio.all_tasks()) == 1
        assert (state.reloads.ok, state.reloads.failed) == (1, 0)

    asyncio.run(run())


def test_requests_under_way_keep_what_they_began_with(folder):
    async def run() -> None:
        state, reloader = state_of(folder)
        begun = state.serving
        reloader.ask()
        await until(lambda: state.reloads.ok)
        assert state.serving is not begun
        assert begun.artifact.digest == state.artifact.digest

    asyncio.run(run())


def test_the_same_refusal_is_said_once_and_to_whoever_asks(folder, tmp_path):
    lines = tmp_path / "lines"

    async def run() -> State:
        with lines.open("wb") as file:
            log.configure(fd=file.fileno())
            state, reloader = state_of(folder)
            (folder / "targets.py").write_text("")
            (folder / "manifest.json").touch()
            reloader.start()
            await until(lambda: state.reloads.failed)
            # the first retry comes after a second
            await asyncio.sleep(1.8)
            assert state.reloads.failed == 1
            reloader.ask()
            await until(lambda: state.reloads.failed == 2)
            await reloader.stop()
            log.flush()
            return state

    try:
        state = asyncio.run(run())
    finally:
        log.configure("off")
    said = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [line["event"] for line in said] == ["reload-failed"] * 2
    assert state.reloads.ok == 0


def test_the_old_artifact_is_freed_at_once_and_without_a_collection(folder):
    def alive() -> int:
        return sum(isinstance(thing, Serving) for thing in gc.get_objects())

    async def run() -> None:
        state, reloader = state_of(folder)
        before = alive()
        for number in range(1, 6):
            reloader.ask()
            await until(lambda number=number: state.reloads.ok == number)
        gc.unfreeze()
        assert alive() == before

    gc.unfreeze()  # what tests before this one have left
    gc.collect()
    gc.disable()
    try:
        asyncio.run(run())
    finally:
        gc.unfreeze()
        gc.enable()


def test_a_folder_behind_a_link_is_read_from_one_release(folder, tmp_path):
    link = tmp_path / "current"
    link.symlink_to(folder)
    before = stamp_of(link)
    other = write(tmp_path / "other", "'p': Provider('https://p.test', auth='none')")
    (tmp_path / "next").symlink_to(other)
    (tmp_path / "next").replace(link)
    assert stamp_of(link) != before
    assert set(prepare(link, None, lambda p: Upstreams(p, {})).artifact.providers) == {"p"}


def test_stateful_skins_need_the_state_key_at_a_reload_too(folder, tmp_path):
    stateful = build(YAML, tmp_path)

    async def run(key: bytes | None) -> State:
        state, reloader = state_of(folder)
        state.state_key = key
        reloader = Reloader(state, stateful, None)
        reloader.ask()
        await until(lambda: state.reloads.failed)
        return state

    assert asyncio.run(run(None)).artifact.name == "tiny"
    with pytest.raises(CannotRun, match="INTERLOCK_STATE_KEY is missing or shorter than 16"):
        prepare(stateful, b"too short", lambda providers: Upstreams(providers, {}))
    with pytest.raises(CannotRun, match="is missing or empty"):  # the next thing there is to say
        prepare(stateful, b"0123456789abcdef", lambda providers: Upstreams(providers, {}))
