"""What a request leaves behind in memory when it has been answered."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from runtime.exchange import Exchange
from tests.runtime.serving.deployment import WEB, ask
from tests.support.polling import until
from tests.support.serving import PATHS, Served


@pytest.fixture
def no_collection() -> Iterator[None]:
    """From a clean start on, what holds itself stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _no_exchange() -> bool:
    return not any(isinstance(one, Exchange) for one in gc.get_objects())


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("dialect", PATHS)
def test_an_answered_request_is_gone_before_garbage_is_looked_for(
    router: Served, no_collection: None, dialect: str, stream: bool
):
    assert router.post(PATHS[dialect], WEB, ask(dialect, stream=stream)).status == 200
    asyncio.run(until(_no_exchange))
