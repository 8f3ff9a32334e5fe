"""What both bridges to Messages share: blocks, turns, tools and the frame of a request.

It knows no field of the dialects it is written from, but all spellings of their parts.
"""

from __future__ import annotations

from runtime.bridges.to_messages.blocks import Block, Blocks, is_blank, text_block
from runtime.bridges.to_messages.frame import Frame
from runtime.bridges.to_messages.tools import Toolset
from runtime.bridges.to_messages.turns import Turns

__all__ = ["Block", "Blocks", "Frame", "Toolset", "Turns", "is_blank", "text_block"]
