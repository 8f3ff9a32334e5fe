"""The fate of every Messages field on its way to Responses."""

from __future__ import annotations

from typing import Final

from runtime import signs
from runtime.bridges.fields import CARRY, DROP, MAP, REFUSE, Field, Table

_UPLOADED: Final = "an uploaded file is at its provider only"
_SETTLED: Final = "the router chose the target already; the field speaks of Anthropic's own"

FIELDS: Final = (
    Field("model", MAP, to="model"),
    Field("system", MAP, to="instructions"),
    Field(
        "x-anthropic-billing-header",
        DROP,
        why="a line of the system text for Anthropic alone; without it prompt caches hold",
    ),
    Field("messages", MAP, to="input"),
    Field("max_tokens", MAP, to="max_output_tokens"),
    Field("stream", MAP, to="stream"),
    Field("temperature", CARRY),
    Field("top_p", CARRY),
    Field("top_k", DROP, why="Responses has no top_k; sampling changes, meaning does not"),
    Field(
        "stop_sequences",
        DROP,
        why="Responses cannot stop at a text; the answer may go on behind it",
    ),
    # tools
    Field("tools", MAP, to="tools"),
    Field("tools[].strict", MAP, to="tools[].strict"),
    Field("tools[].input_examples", DROP, why="a function of Responses has no examples"),
    Field("tools[].defer_loading", DROP, why="every tool is offered from the start"),
    Field("tools[].allowed_callers", DROP, why="every tool is called by the model itself"),
    Field("tools[].eager_input_streaming", DROP, why="arguments are always streamed as they come"),
    Field(
        "tools[type=hosted]",
        REFUSE,
        why="what Anthropic runs itself runs nowhere else",
        feature="hosted:<type>",
    ),
    Field("mcp_servers", REFUSE, why="Anthropic calls these servers itself", feature="hosted:mcp"),
    Field("tool_choice", MAP, to="tool_choice"),
    Field("tool_choice.disable_parallel_tool_use", MAP, to="parallel_tool_calls"),
    # how the answer is made
    Field("thinking", MAP, to="reasoning"),
    Field("thinking.display", MAP, to="reasoning.summary"),
    Field("output_config.effort", MAP, to="reasoning.effort"),
    Field("output_config.format", MAP, to="text.format"),
    Field("output_config.task_budget", DROP, why="Responses cannot pace itself over a task"),
    Field("output_format", MAP, to="text.format"),
    Field("service_tier", MAP, to="service_tier"),
    Field("speed", DROP, why="Responses has no fast mode of this kind; the answer is the same"),
    # history
    Field("content[type=text]", MAP, to="input[].content[type=input_text]"),
    Field("content[type=image]", MAP, to="input[].content[type=input_image]"),
    Field("content[type=document]", MAP, to="input[].content[type=input_file]"),
    Field("content[type=search_result]", MAP, to="input[].content[type=input_text]"),
    Field("content[type=tool_reference]", MAP, to="input[].content[type=input_text]"),
    Field("content[type=tool_use]", MAP, to="input[type=function_call]"),
    Field("content[type=tool_result]", MAP, to="input[type=function_call_output]"),
    Field("content[type=tool_result].is_error", MAP, to="input[type=function_call_output].output"),
    Field("content[type=thinking]", MAP, to="input[type=reasoning]"),
    Field("content[type=compaction]", MAP, to="input[].content[type=output_text]"),
    Field(
        "thinking.signature",
        DROP,
        why="thinking that another provider signed means nothing to this one",
    ),
    Field(
        "redacted_thinking.data",
        DROP,
        why="thinking that another provider sealed means nothing to this one",
    ),
    Field("content[].citations", DROP, why="Responses cites no documents of the caller's"),
    Field("content[type=server_tool_use]", MAP, to="input[type=function_call]"),
    Field("content[type=mcp_tool_use]", MAP, to="input[type=function_call]"),
    Field("content[type=mcp_tool_result]", MAP, to="input[type=function_call_output]"),
    Field("content[type=web_search_tool_result]", MAP, to="input[type=function_call_output]"),
    Field("content[type=web_fetch_tool_result]", MAP, to="input[type=function_call_output]"),
    Field("content[type=code_execution_tool_result]", MAP, to="input[type=function_call_output]"),
    Field("content[type=tool_search_tool_result]", MAP, to="input[type=function_call_output]"),
    Field("content[type=fallback]", DROP, why="a note that another model answered"),
    Field("content[].file_id", REFUSE, why=_UPLOADED, feature=signs.FILE_ID),
    Field("content[].source.file_id", REFUSE, why=_UPLOADED, feature=signs.FILE_ID),
    Field("tool_result:missing", DROP, why="a call without a result gets one that says so"),
    Field("tool_result:without_call", DROP, why="a result without a call is told by the user"),
    Field(
        "prefill",
        DROP,
        why="a last assistant turn is history on Responses; a user turn asks to go on",
    ),
    # caches and accounting
    Field(
        "cache_control",
        DROP,
        why="Responses caches prompts by itself; the answer is the same, its price may not be",
    ),
    Field("metadata", DROP, why="the user id is for the provider's abuse checks alone"),
    Field("diagnostics", DROP, why="Anthropic's report on its own prompt cache"),
    Field(
        "context_management",
        DROP,
        why="Anthropic would shorten the history itself; here all of it is sent",
    ),
    Field("betas", DROP, why=_SETTLED),
    Field("fallbacks", DROP, why=_SETTLED),
    Field("fallback_credit_token", DROP, why=_SETTLED),
    Field("billing_policy", DROP, why=_SETTLED),
    Field("user_profile_id", DROP, why=_SETTLED),
    Field("workspace_id", DROP, why=_SETTLED),
    # what only Anthropic can do
    Field(
        "container",
        REFUSE,
        why="a container is at its provider only",
        feature=signs.CONTAINER,
    ),
    Field(
        "thread",
        REFUSE,
        why="the conversation is kept at its provider",
        feature=signs.THREAD,
    ),
    Field(
        "compaction",
        REFUSE,
        why="the answer would be a sealed summary, not words",
        feature=signs.COMPACTION,
    ),
    Field(
        "inference_geo",
        REFUSE,
        why="nobody else promises where the model runs",
        feature=signs.INFERENCE_GEO,
    ),
)
TABLE: Final = Table("messages_to_responses", FIELDS)
