"""`interlock demo` as a user runs it."""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.support.router import ROOT, interlock

DEMO = [sys.executable, "-c", "from compiler.cli import main; main()", "demo", "--port", "0"]


def test_the_demo_shows_one_request_per_surface_with_its_route():
    shown = interlock("demo", "--once", "--port", "0")
    for surface in ("/v1/chat/completions", "/v1/messages", "/v1/responses"):
        assert f"POST {surface}" in shown
    assert re.findall(r"(?i)x-router-target +(\w+)", shown) == ["small", "large", "large"]
    assert re.findall(r"(?i)x-router-surface +(\w+)", shown) == ["chat", "messages", "responses"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_the_demo_serves_until_it_is_stopped_and_leaves_nothing_behind(how):
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        DEMO, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            lines = iter(process.stdout.readline, "")
            assert any("Serving until" in line for line in lines)
            os.killpg(process.pid, how)  # as a terminal does that is closed
            assert process.wait(20) == 0
            with pytest.raises(ProcessLookupError):
                os.killpg(process.pid, 0)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
