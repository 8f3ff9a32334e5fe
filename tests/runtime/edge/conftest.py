"""One echoing edge for all tests of a module that do not end it."""

from collections.abc import Iterator

import pytest

from tests.support.edge import Edge, running


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    """An echo on the three surfaces."""
    with running() as edge:
        yield edge
