"""Where httpx comes in: its types, exceptions and transports, without its command line.

httpx imports its own command line where click and rich are installed: 120 ms of every cold start,
and libraries that a serving process must not hold. A None in `sys.modules` makes that one import
fail, which httpx foresees; the None is taken away again at once.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

_COMMAND_LINE = "httpx._main"
_absent = "httpx" not in sys.modules and _COMMAND_LINE not in sys.modules

if _absent:
    sys.modules[_COMMAND_LINE] = cast(ModuleType, None)

import httpx as httpx  # noqa: E402 - the line above has to run first

if _absent:
    del sys.modules[_COMMAND_LINE]
