"""Clients that ask a router one thing after the other, and note which answers came whole."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.demo import TOKEN

_CLIENTS = 4  # half of them stream
_QUESTION = {"model": "coder", "messages": [{"role": "user", "content": "Say hello"}]}
_HEADERS = {"Authorization": f"Bearer {TOKEN.whole}", "Content-Type": "application/json"}


class Load:
    """`answered` holds the ids of whole answers, `failed` what else became of a request."""

    def __init__(self, port: int) -> None:
        self.answered: list[str] = []
        self.failed: list[str] = []
        self._port = port
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask_on, args=(n % 2 == 0,)) for n in range(_CLIENTS)
        ]

    def start(self) -> None:
        """Begins to ask."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends with the answers under way."""
        self._end.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int) -> None:
        """Until so many more answers have come."""
        wanted = len(self.answered) + count
        while len(self.answered) < wanted:
            self._end.wait(0.005)

    def _ask_on(self, stream: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        body = json.dumps({**_QUESTION, "stream": stream})
        while not self._end.wait(0.002):
            try:
                connection.request("POST", "/v1/chat/completions", body, _HEADERS)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(type(error).__name__)
                connection.close()
                continue
            if answer.status != 200 or (stream and b"[DONE]" not in text):
                self.failed.append(f"{answer.status} {text[-200:].decode()}")
            else:
                self.answered.append(answer.headers["X-Request-Id"])
        connection.close()


@contextmanager
def load(port: int) -> Iterator[Load]:
    """Questions without end, for the time of a `with` block."""
    asking = Load(port)
    asking.start()
    try:
        yield asking
    finally:
        asking.stop()
