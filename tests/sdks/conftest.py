"""One router for all SDK tests, and a way to say a call once for the sync and the async client."""

import asyncio

import pytest

from compiler.demo import Call, Failure, Turn
from tests.support.demo import BRIDGED, demo

CALLS = (Call("weather", '{"city": "Málaga ☀"}'), Call("weather", '{"city": "Oslo"}'))
REASONING = "thinking about it at some length"


def script(asked):
    """Fails when told to ("fail 503"), calls tools when it has some, else says what it heard."""
    word, _, status = asked.last_user_text.partition(" ")
    if word == "fail":
        return Failure(int(status), "scripted failure", headers={"retry-after": "7"})
    if asked.tools:
        return Turn(text="Let me look.", calls=CALLS, reasoning=REASONING)
    return Turn(text=f"You said: {asked.last_user_text}")


class Sync:
    """Calls as a program without an event loop does."""

    def __init__(self, client):
        self.client = client

    def call(self, ask):
        """The result of one call."""
        return ask(self.client)

    def events(self, ask):
        """All events of a raw stream."""
        return list(ask(self.client))

    def final(self, ask, method):
        """What a stream helper put together."""
        with ask(self.client) as stream:
            return getattr(stream, method)()


class Async:
    """The same on an event loop."""

    def __init__(self, client, runner):
        self.client = client
        self.runner = runner

    def call(self, ask):
        async def run():
            return await ask(self.client)

        return self.runner.run(run())

    def events(self, ask):
        async def run():
            return [event async for event in await ask(self.client)]

        return self.runner.run(run())

    def final(self, ask, method):
        async def run():
            async with ask(self.client) as stream:
                return await getattr(stream, method)()

        return self.runner.run(run())


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """The router before the script."""
    with demo(script, tmp_path_factory.mktemp("sdks")) as both:
        yield both


@pytest.fixture(scope="session")
def bridged(tmp_path_factory):
    """A router whose models each speak one dialect alone, before the same script."""
    with demo(script, tmp_path_factory.mktemp("bridged"), BRIDGED) as both:
        yield both


@pytest.fixture
def speaker():
    """`speaker(sync_client)` or `speaker(async_client)`, closed at the end of the test."""
    opened = []
    with asyncio.Runner() as runner:

        def speak(client):
            opened.append(client)
            is_async = type(client).__name__.startswith("Async")
            return Async(client, runner) if is_async else Sync(client)

        yield speak
        for client in opened:
            closing = client.close()
            if closing is not None:
                runner.run(closing)
