"""Scripts that run inside the store, each as one step that nothing can come between."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError

if TYPE_CHECKING:
    from redis.asyncio import Redis


class Script:
    """A script in Lua; `sha` is the digest the store knows it by."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, client: Redis, keys: Sequence[str], words: Sequence[str | int]) -> Any:
        """What it returns. A store that does not know it yet is told it, once."""
        try:
            return await client.evalsha(self.sha, len(keys), *keys, *words)
        except NoScriptError:
            return await client.eval(self.text, len(keys), *keys, *words)
