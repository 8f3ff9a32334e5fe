"""A desk with a scratch home and repository, and a router to put in front of a script."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clients.agents import Desk
from tests.support.demo import DEPLOYMENT, TOKEN, demo

CONTENT = "exact content 42\nsecond line: café ☃ $HOME 'quoted' \"twice\"\n"


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    return folder


@pytest.fixture
def content():
    """What the file must hold, to the byte."""
    return CONTENT


@pytest.fixture
def seat(tmp_path, repository):
    """`with seat(script) as (desk, demo)`: an agent's desk before a router before that script."""

    @contextmanager
    def sit(script, deployment=DEPLOYMENT, model="coder"):
        home = tmp_path / "home"
        home.mkdir()
        with demo(script, Path(tmp_path), deployment) as running:
            yield Desk(home, repository, running.url, TOKEN.whole, model), running

    return sit
