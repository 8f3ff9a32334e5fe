"""The fate of every Messages field on its way to Chat Completions."""

from __future__ import annotations

from typing import Final

from runtime import signs
from runtime.bridges.fields import CARRY, DROP, MAP, REFUSE, Field, Table

_UPLOADED: Final = "it names a file that Anthropic keeps, which no Chat target holds"
_BETA: Final = "a trial of Anthropic's that Chat has no word for"
_SEALED: Final = "thinking that another model made, and no one else can read"

FIELDS: Final = (
    # --- what the model is told ---
    Field("system", MAP, to="messages[role=system]"),
    Field(
        "x-anthropic-billing-header",
        DROP,
        why="a note for Anthropic's books, which changes and would spoil prompt caches",
    ),
    Field("messages", MAP, to="messages"),
    Field("messages[role=system]", MAP, to="messages[role=system]"),
    Field("content[type=text]", CARRY),
    Field("content[type=image]", MAP, to="content[type=image_url]"),
    Field("content[type=document]", MAP, to="content[type=file], or text"),
    Field("content[type=search_result]", MAP, to="content[type=text]"),
    Field("content[type=tool_use]", MAP, to="messages[].tool_calls"),
    Field("content[type=tool_result]", MAP, to="messages[role=tool]; images behind it"),
    Field("content[type=thinking]", MAP, to="messages[].reasoning_content, as the skin has it"),
    Field("content[type=server_tool_use]", MAP, to="messages[].tool_calls"),
    Field("content[type=mcp_tool_use]", MAP, to="messages[].tool_calls"),
    Field("content[type=mcp_tool_result]", MAP, to="messages[role=tool]"),
    Field("content[type=web_search_tool_result]", MAP, to="messages[role=tool]"),
    Field("content[type=web_fetch_tool_result]", MAP, to="messages[role=tool]"),
    Field("content[type=code_execution_tool_result]", MAP, to="messages[role=tool]"),
    Field("content[type=bash_code_execution_tool_result]", MAP, to="messages[role=tool]"),
    Field("content[type=text_editor_code_execution_tool_result]", MAP, to="messages[role=tool]"),
    Field("content[type=tool_search_tool_result]", MAP, to="messages[role=tool]"),
    Field("content[type=advisor_tool_result]", MAP, to="messages[role=tool]"),
    Field("content[type=compaction]", MAP, to="content[type=text]"),
    Field("content[type=tool_reference]", MAP, to="content[type=text]"),
    Field("thinking.signature", DROP, why=_SEALED),
    Field("redacted_thinking.data", DROP, why=_SEALED),
    Field("content[type=container_upload]", REFUSE, why=_UPLOADED, feature=signs.FILE_ID),
    Field(
        "content[role=system]", DROP, why="images and files among the texts: Chat takes none here"
    ),
    Field("content[role=assistant]", DROP, why="as `content[role=system]`"),
    Field("content[].source.file_id", REFUSE, why=_UPLOADED, feature=signs.FILE_ID),
    Field(
        "content[].source.url",
        REFUSE,
        why="Chat takes a document's bytes, not its address",
        feature=signs.DOCUMENT_URL,
    ),
    Field(
        "content[].citations",
        DROP,
        why="sources of an earlier answer, or the wish for them; texts stay",
    ),
    Field("content[type=fallback]", DROP, why="a note that another model answered"),
    Field("content[type=tool_addition]", DROP, why=_BETA),
    Field("content[type=tool_removal]", DROP, why=_BETA),
    Field("content[type=mcp_tool_listing]", DROP, why="tools of a server that no Chat target asks"),
    Field(
        "cache_control",
        DROP,
        why="the target has no cache marks, or none at this place; costs change, meaning does not",
    ),
    Field("tool_result:missing", DROP, why="a call without a result gets one that says so"),
    Field("tool_result:without_call", DROP, why="a result without a call is told by the user"),
    Field("prefill", DROP, why="where the skin does not go on with a text, the user asks it to"),
    # --- tools ---
    Field("tools", MAP, to="tools[].function"),
    Field("tools[].strict", CARRY),
    Field("tools[].defer_loading", DROP, why="every tool is shown to the model at once"),
    Field("tools[].allowed_callers", DROP, why="no program of the provider's calls tools"),
    Field("tools[].input_examples", DROP, why="Chat describes a tool by its schema alone"),
    Field("tools[].eager_input_streaming", DROP, why="the target streams arguments as it does"),
    Field(
        "tools[type=hosted]",
        REFUSE,
        why="what a provider runs itself runs nowhere else",
        feature="hosted:<type>",
    ),
    Field("tool_choice", MAP, to="tool_choice"),
    Field("tool_choice.disable_parallel_tool_use", MAP, to="parallel_tool_calls"),
    Field("mcp_servers", REFUSE, why="the provider would call them", feature="hosted:mcp"),
    # --- how the answer is made ---
    Field("max_tokens", MAP, to="max_tokens"),
    Field("temperature", CARRY),
    Field("top_p", CARRY),
    Field("top_k", DROP, why="Chat has no top_k; sampling changes, meaning does not"),
    Field("stop_sequences", MAP, to="stop"),
    Field("output_config.format", MAP, to="response_format"),
    Field("output_config.effort", MAP, to="reasoning_effort, or the skin's own form"),
    Field("output_config.task_budget", DROP, why=_BETA),
    Field("output_format", MAP, to="response_format"),
    Field("thinking", MAP, to="reasoning_effort, or the skin's own form"),
    Field("thinking.display", DROP, why="Chat shows its reasoning as it is, or not at all"),
    Field("stream", MAP, to="stream"),
    Field("model", MAP, to="model"),
    # --- service ---
    Field("service_tier", MAP, to="service_tier: `standard_only` is `default`"),
    Field("metadata", DROP, why="it holds ids of a device and an account, of no use to a model"),
    Field("context_management", DROP, why="Chat clears no history; one too long is an error"),
    Field("compaction", DROP, why="Chat compacts no history; one too long is an error"),
    Field(
        "container",
        REFUSE,
        why="state on a server that no Chat target holds",
        feature=signs.CONTAINER,
    ),
    Field(
        "thread", REFUSE, why="state on a server that no Chat target holds", feature=signs.THREAD
    ),
    Field(
        "inference_geo",
        REFUSE,
        why="where a prompt may be read is no wish that can be lost",
        feature=signs.INFERENCE_GEO,
    ),
    Field("speed", DROP, why="Chat has no fast mode; the answer is as fast as the target"),
    Field("fallbacks", DROP, why="the router chooses who answers"),
    Field("fallback_credit_token", DROP, why=_BETA),
    Field("diagnostics", DROP, why=_BETA),
    Field("billing_policy", DROP, why=_BETA),
    Field("user_profile_id", DROP, why="an id of Anthropic's"),
    Field("workspace_id", DROP, why="an id of Anthropic's"),
    Field("betas", DROP, why="names of trials at Anthropic"),
)

TABLE: Final = Table("messages_to_chat", FIELDS)
