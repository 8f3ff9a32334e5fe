"""Another artifact in the place of the one in service: for real processes under load."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.runtime.process.observing import (
    PATIENCE,
    TWO_WORKERS,
    all_serve,
    chat,
    children,
    events,
    every_worker,
    fds,
    seen,
    version,
)
from tests.runtime.process.releases import (
    HEADERS,
    PATH,
    Release,
    Releases,
    release,
    releases,
    request,
    yaml,
)
from tests.support.package import write
from tests.support.polling import until
from tests.support.router import Router, interlock, running
from tests.support.steady import Steady, steady
from tests.support.wire import Answer, Connection, ask, connected


@pytest.fixture
def provider() -> Iterator[Steady]:
    with steady() as provider:
        yield provider


async def served_by(connections: list[Connection], digest: str) -> None:
    """Waits until all of them are answered from the artifact."""
    for connection in connections:
        async with asyncio.timeout(PATIENCE):
            while await version(connection) != digest:  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.002)


def reload(router: Router) -> None:
    router.process.send_signal(signal.SIGHUP)


# --- under load -----------------------------------------------------------------------------------

ROUNDS, RELOADS, STREAMS, CALLERS, PAUSE = 4, 50, 50, 10, 0.1


async def call_on(port: int, over: asyncio.Event, answers: list[Answer], *, keep: bool) -> None:
    """A request every tenth of a second, on one connection or on a new one each."""
    async with connected(port) as kept:
        while not over.is_set():
            if keep:
                answers.append(await chat(kept))
            else:
                answers.append(await ask(port, "POST", PATH, HEADERS, request()))
            await asyncio.sleep(PAUSE)


async def streams_over_reloads(
    router: Router, provider: Steady, made: Releases, workers: list[Connection]
) -> list[Answer]:
    """Streams that begin before many reloads and end after them."""
    async with AsyncExitStack() as stack:
        provider.hold()
        streams = [await stack.enter_async_context(connected(router.port)) for _ in range(STREAMS)]
        for stream in streams:
            stream.send("POST", PATH, HEADERS, request(stream=True))
        for stream in streams:
            await stream.until(lambda answer: b"content" in answer.body)
        for number in range(RELOADS):
            new = made.turn(made.all[(number + 1) % 2])
            reload(router)
            await served_by(workers, new.digest)
        assert not any(stream.closed for stream in streams)
        provider.release()
        return [await stream.finished() for stream in streams]


def test_200_reloads_under_load_fail_no_request_and_cut_no_stream(provider, tmp_path):
    made = releases(provider, tmp_path, ("one", "two"))
    answers: list[Answer] = []

    async def run(router: Router) -> list[int]:
        over = asyncio.Event()
        async with every_worker(router) as workers:
            await asyncio.gather(*(version(worker) for worker in workers))
            async with asyncio.TaskGroup() as group:
                for number in range(CALLERS):
                    group.create_task(call_on(router.port, over, answers, keep=number % 2 == 0))
                for _ in range(ROUNDS):
                    answers.extend(await streams_over_reloads(router, provider, made, workers))
                over.set()
        return children(router)

    with running(made.current, tmp_path, arguments=TWO_WORKERS) as router:
        pids = asyncio.run(run(router))
        # nothing of all that is left: a worker's own descriptors and kept upstream connections
        kept = sum(provider.open.values())
        seen(lambda: sum(map(fds, pids)) <= 2 * 20 + kept)
        router.terminate()
        assert router.wait() == 0
        assert len(events(router, "reloaded")) >= 2 * ROUNDS * RELOADS
        assert events(router, "reload-failed") == []
    assert len(answers) > ROUNDS * STREAMS
    assert made.faults(answers) == []
    assert min(provider.asked["one"], provider.asked["two"]) > 0


# --- what a reload carries over, and what it gives up ---------------------------------------------


@pytest.mark.parametrize("transport", ["fast", "httpx"])
def test_the_connections_of_an_unchanged_provider_are_carried_over(provider, tmp_path, transport):
    made = releases(provider, tmp_path, ("one", "two"), transport=transport)

    async def run(router: Router) -> list[Answer]:
        async with connected(router.port) as caller:
            answers = [await chat(caller)]
            for number in range(1, 7):
                new = made.turn(made.all[number % 2])
                reload(router)
                await served_by([caller], new.digest)
                answers.append(await chat(caller))
            return answers

    with running(made.current, tmp_path) as router:
        answers = asyncio.run(run(router))
    assert made.faults(answers) == []
    assert provider.asked == {"one": 4, "two": 3}
    assert list(provider.connections.values()) == [1]


@pytest.mark.parametrize("transport", ["fast", "httpx"])
def test_a_provider_that_is_gone_keeps_no_connection_but_those_of_running_streams(
    tmp_path, transport
):
    async def run(router: Router, provider: Steady, made: Releases) -> list[Answer]:
        old, new = provider.ports
        async with connected(router.port) as caller, connected(router.port) as stream:
            stream.send("POST", PATH, HEADERS, request(stream=True))
            await stream.until(lambda answer: b"content" in answer.body)
            answers = [await chat(caller)]
            assert provider.open[old] == 2
            made.turn(made.all[1])
            reload(router)
            await served_by([caller], made.all[1].digest)
            # httpx closes all connections of a transport or none
            left = 1 if transport == "fast" else 2
            await until(lambda: provider.open[old] == left, PATIENCE)
            answers.append(await chat(caller))
            assert (provider.open[old], provider.open[new]) == (left, 1)
            provider.release()
            answers.append(await stream.finished())
            await until(lambda: provider.open[old] == 0, PATIENCE)
        return answers

    with steady(ports=2) as provider:
        made = releases(provider, tmp_path, ("one", "two"), transport=transport)
        with running(made.current, tmp_path) as router:
            answers = asyncio.run(run(router, provider, made))
    assert made.faults(answers) == []


def test_key_files_are_read_again(provider, tmp_path):
    key = tmp_path / "key"
    key.write_text("first-key-of-the-provider\n")
    where = f"auth: bearer, key_file: {key}"
    made = releases(provider, tmp_path, ("one",), key=where)

    async def run(router: Router) -> None:
        async with connected(router.port) as caller:
            await chat(caller)
            key.write_text("second-key-of-the-provider\n")
            reload(router)
            await until(lambda: events(router, "reloaded"), PATIENCE)
            await chat(caller)

    with running(made.current, tmp_path) as router:
        asyncio.run(run(router))
    assert provider.keys == {"first-key-of-the-provider", "second-key-of-the-provider"}
    assert list(provider.connections.values()) == [1]


# --- how it is noticed ----------------------------------------------------------------------------


def test_a_build_into_the_served_folder_is_noticed_by_every_worker(provider, tmp_path):
    source = tmp_path / "deployment.yaml"
    source.write_text(yaml(provider.ports[0], "one"))
    out = tmp_path / "out"
    interlock("build", str(source), "--out", str(out))
    folder = out / "releases"

    async def run(router: Router) -> None:
        async with every_worker(router) as workers:
            source.write_text(yaml(provider.ports[0], "two"))
            await asyncio.to_thread(interlock, "build", str(source), "--out", str(out))
            await served_by(workers, Release("two", folder).digest)
            answers = [await chat(worker) for worker in workers]
        assert Releases([Release("two", folder)], folder).faults(answers) == []

    with running(folder, tmp_path, arguments=TWO_WORKERS) as router:
        asyncio.run(run(router))
        assert events(router, "reload-failed") == []


def test_files_that_come_after_their_manifest_are_waited_for(provider, tmp_path):
    one, two = (release(yaml(provider.ports[0], name), tmp_path) for name in ("one", "two"))
    served = tmp_path / "served"
    shutil.copytree(one.folder, served)

    async def run(router: Router) -> None:
        async with connected(router.port) as caller:
            shutil.copy(two.folder / "manifest.json", served)
            await until(lambda: events(router, "reload-failed"), PATIENCE)
            later = shutil.ignore_patterns("manifest.json")
            shutil.copytree(two.folder, served, dirs_exist_ok=True, ignore=later)
            await served_by([caller], two.digest)

    with running(served, tmp_path) as router:
        asyncio.run(run(router))


def test_a_wish_that_comes_while_workers_start_is_no_end(tmp_path):
    with running(write(tmp_path / "tiny"), tmp_path, arguments=TWO_WORKERS) as router:
        asyncio.run(all_serve(router))
        first = set(children(router))
        os.kill(min(first), signal.SIGKILL)
        seen(lambda: set(children(router)) - first)
        reload(router)
        seen(lambda: len(events(router, "reloaded")) == 2)
        assert len(events(router, "worker-died")) == 1


# --- what cannot be served ------------------------------------------------------------------------


def spoil(path: str, text: str) -> Callable[[Path], None]:
    def write_more(folder: Path) -> None:
        with (folder / path).open("a") as file:
            file.write(text)

    return write_more


def other_format(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))


BAD = {
    "a file that was changed": (spoil("callers.py", "# changed\n"), "callers.py: changed"),
    "a strange file": (lambda folder: (folder / "more.py").write_text(""), "more.py: not listed"),
    "a file that is missing": (lambda folder: (folder / "targets.py").unlink(), "but missing"),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), "cannot be read"),
    "a cut manifest": (lambda f: (f / "manifest.json").write_text('{"format": 1,'), "not JSON"),
    "another format": (other_format, "format 99 is unknown"),
    "no folder": (shutil.rmtree, "cannot be read"),
    "a missing key": (
        lambda folder: write(folder, "'p': Provider('https://p.test', key_env='NO_SUCH_KEY')"),
        "NO_SUCH_KEY is missing",
    ),
    "a code that is none": (
        lambda folder: write(folder, "'p': Provider(1/0)"),
        "does not fit this runtime",
    ),
    "an address that is none": (
        lambda folder: write(folder, "'p': Provider('ftp://p.test', auth='none')"),
        "providers.p.base_url",
    ),
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Router, Path]]:
    folder = write(tmp_path_factory.mktemp("tiny") / "tiny")
    with running(folder, folder.parent) as router:
        yield router, folder


@pytest.mark.parametrize("name", BAD)
def test_a_bad_artifact_changes_nothing_and_is_named_in_one_line(tiny, name):
    router, folder = tiny
    spoiled, reason = BAD[name]
    good = Release("", folder).digest
    refused, reloaded = (len(events(router, kind)) for kind in ("reload-failed", "reloaded"))
    try:
        spoiled(folder)
        reload(router)
        seen(lambda: len(events(router, "reload-failed")) > refused)
        answer = asyncio.run(ask(router.port, "GET", "/version"))
        assert json.loads(answer.body)["artifact"] == good
        lines = events(router, "reload-failed")[refused:]
        assert len({line["reason"] for line in lines}) == 1
        assert reason in lines[0]["reason"]
        assert (lines[0]["level"], lines[0]["artifact"]) == ("error", good)
        assert len(events(router, "reloaded")) == reloaded
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        write(folder)
        reload(router)
        seen(lambda: len(events(router, "reloaded")) > reloaded)


def test_a_worker_that_dies_while_the_artifact_is_bad_comes_back_when_it_is_good(tmp_path):
    folder = write(tmp_path / "tiny")
    manifest = (folder / "manifest.json").read_bytes()
    with running(folder, tmp_path, arguments=TWO_WORKERS) as router:
        asyncio.run(all_serve(router))
        (folder / "manifest.json").write_bytes(b"{}")
        os.kill(children(router)[0], signal.SIGKILL)
        seen(lambda: len(events(router, "worker-died")) >= 2)
        assert asyncio.run(ask(router.port, "GET", "/readyz")).status == 200
        (folder / "manifest.json").write_bytes(manifest)
        asyncio.run(all_serve(router))
        assert router.process.poll() is None
