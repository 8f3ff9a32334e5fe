"""A real worker whose surfaces stream until told otherwise: `serve_slowly.py DRAIN`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from runtime.address import bind
from runtime.app import create_app
from runtime.edge import Call
from runtime.reload import Reloader
from runtime.serving import Serving
from runtime.state import State
from runtime.upstream import Upstreams
from runtime.worker import Worker
from tests.support.edge import artifact


async def stream(call: Call) -> None:
    """As many seconds as the body says."""
    call.start(200, [(b"content-type", b"text/event-stream")])
    call.write(b"data: begun\n\n")
    await asyncio.sleep(float(call.body))
    call.write(b"data: ended\n\n")
    call.finish()


def main() -> None:
    """Serves on a free port."""
    state = State(Serving(artifact(), Upstreams({}, {})))
    app = create_app(state, hot={b"/v1/messages": stream})
    reloader = Reloader(state, Path("no artifact"), None)
    worker = Worker(app, bind("127.0.0.1", 0, shared=False), None, float(sys.argv[1]), reloader)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(worker.serve())


if __name__ == "__main__":
    main()
