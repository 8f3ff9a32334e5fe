"""Rows that both field tables to Messages have: what becomes of tools and their schemas."""

from __future__ import annotations

from typing import Final

from runtime.bridges.fields import DROP, MAP, Field

_BRANCHES: Final = (
    "Messages takes no choice of schemas at the top of a tool's; the properties of all are offered"
)

TOOL_FIELDS: Final = (
    Field("tools", MAP, to="tools[].input_schema"),
    Field("tools[].parameters.anyOf", DROP, why=_BRANCHES),
    Field("tools[].parameters.oneOf", DROP, why=_BRANCHES),
    Field("tools[].parameters.allOf", DROP, why="its parts become one schema; limits may be lost"),
    Field(
        "tools[].strict",
        DROP,
        why="carried where the skin writes JSON by schema; elsewhere arguments are checked by "
        "the client alone",
    ),
    Field("tools[].defer_loading", DROP, why="every tool is shown to the model at once"),
    Field("tools[].allowed_callers", DROP, why="no program of the provider's calls tools"),
    Field("tools[].output_schema", DROP, why="Messages describes what goes into a tool, not out"),
    Field("tools[type=custom]", MAP, to="a tool of one string, its grammar told in words"),
    Field("tool_choice", MAP, to="tool_choice"),
    Field("tool_choice.allowed_tools", MAP, to="tools: the others are left out"),
    Field("parallel_tool_calls", MAP, to="tool_choice.disable_parallel_tool_use"),
)
