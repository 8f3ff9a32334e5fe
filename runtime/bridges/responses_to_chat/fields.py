"""The fate of every Responses field on its way to Chat Completions."""

from __future__ import annotations

from typing import Final

from runtime import signs
from runtime.bridges.fields import CARRY, DROP, MAP, REFUSE, Field, Table

_ON_SERVER: Final = "it names something a Responses server keeps, which no Chat target holds"
_HOSTED: Final = "what a tool of another provider did is not told; the text about it stays"

FIELDS: Final = (
    # --- what the model is told ---
    Field("instructions", MAP, to="messages[role=system]"),
    Field("input", MAP, to="messages"),
    Field("input[type=message]", MAP, to="messages"),
    Field("input[role=developer]", MAP, to="messages[role=system]"),
    Field("input[type=function_call]", MAP, to="messages[].tool_calls"),
    Field("input[type=function_call_output]", MAP, to="messages[role=tool]"),
    Field("input[type=custom_tool_call]", MAP, to="messages[].tool_calls"),
    Field("input[type=custom_tool_call_output]", MAP, to="messages[role=tool]"),
    Field("input[type=local_shell_call]", MAP, to="messages[].tool_calls"),
    Field("input[type=local_shell_call_output]", MAP, to="messages[role=tool]"),
    Field("input[type=shell_call]", MAP, to="messages[].tool_calls"),
    Field("input[type=shell_call_output]", MAP, to="messages[role=tool]"),
    Field("input[type=apply_patch_call]", MAP, to="messages[].tool_calls"),
    Field("input[type=apply_patch_call_output]", MAP, to="messages[role=tool]"),
    Field("input[type=computer_call]", MAP, to="messages[].tool_calls"),
    Field("input[type=computer_call_output]", MAP, to="messages[role=user]"),
    Field("input[type=mcp_call]", MAP, to="messages[].tool_calls"),
    Field("input[type=code_interpreter_call]", MAP, to="messages[].tool_calls"),
    Field("input[type=file_search_call]", MAP, to="messages[].tool_calls"),
    Field("input[type=reasoning]", MAP, to="messages[].reasoning_content, as the skin has it"),
    Field("input[type=additional_tools]", MAP, to="tools"),
    Field("input[type=tool_search_output]", MAP, to="tools"),
    Field("input[type=tool_search_call]", DROP, why=_HOSTED),
    Field("input[type=web_search_call]", DROP, why=_HOSTED),
    Field("input[type=image_generation_call]", DROP, why=_HOSTED),
    Field("input[type=mcp_list_tools]", DROP, why=_HOSTED),
    Field("input[type=mcp_approval_request]", DROP, why=_HOSTED),
    Field("input[type=mcp_approval_response]", DROP, why=_HOSTED),
    Field("input[type=program]", DROP, why=_HOSTED),
    Field("input[type=program_output]", DROP, why=_HOSTED),
    Field("input[type=configuration_update]", DROP, why="Chat has one configuration a request"),
    Field(
        "input[type=compaction]",
        DROP,
        why="only its maker can read it; what it sums up is not known to the model any more",
    ),
    Field("input[type=compaction_summary]", DROP, why="only its maker can read it"),
    Field(
        "input[type=compaction_trigger]",
        REFUSE,
        why="it asks for a compaction item, which no Chat target makes",
        feature=signs.COMPACTION,
    ),
    Field("input[type=item_reference]", REFUSE, why=_ON_SERVER, feature="stateful"),
    Field("item_reference", DROP, why="a reference to reasoning; the model thinks anew"),
    Field(
        "reasoning.encrypted_content",
        DROP,
        why="reasoning that another model made, and no one else can read",
    ),
    Field("input[].phase", DROP, why="Chat does not tell comments from the final answer"),
    Field("content[type=input_text]", MAP, to="content[type=text]"),
    Field("content[type=output_text]", MAP, to="content[type=text]"),
    Field("content[type=refusal]", MAP, to="content[type=text]"),
    Field("content[type=input_image]", MAP, to="content[type=image_url]"),
    Field("content[type=input_file]", MAP, to="content[type=file]"),
    Field("content[type=input_audio]", CARRY),
    Field(
        "content[role=system]", DROP, why="images and files among the texts: Chat takes none here"
    ),
    Field("content[role=assistant]", DROP, why="as `content[role=system]`"),
    Field("content[].file_id", REFUSE, why=_ON_SERVER, feature=signs.FILE_ID),
    Field(
        "content[].file_url",
        REFUSE,
        why="Chat takes a document's bytes, not its address",
        feature=signs.DOCUMENT_URL,
    ),
    Field(
        "content[].annotations",
        DROP,
        why="sources of an earlier answer, or the wish for them; texts stay",
    ),
    Field("content[].prompt_cache_breakpoint", DROP, why="a cache hint: costs change, meaning not"),
    Field("tool_result:missing", DROP, why="a call without a result gets one that says so"),
    Field("tool_result:without_call", DROP, why="a result without a call is told by the user"),
    Field("prefill", DROP, why="where the skin does not go on with a text, the user asks it to"),
    # --- tools ---
    Field("tools", MAP, to="tools[].function"),
    Field("tools[].strict", CARRY),
    Field("tools[type=custom]", MAP, to="a function of one string"),
    Field("tools[type=namespace]", MAP, to="functions with the namespace in their names"),
    Field(
        "tools[type=namespace].description",
        DROP,
        why="Chat has no groups of tools; each keeps its own description",
    ),
    Field("tools[].defer_loading", DROP, why="every tool is shown to the model at once"),
    Field("tools[].allowed_callers", DROP, why="no program of the provider's calls tools"),
    Field("tools[].output_schema", DROP, why="Chat describes what goes into a tool, not out"),
    Field(
        "tools[type=hosted]",
        REFUSE,
        why="what a provider runs itself runs nowhere else",
        feature="hosted:<type>",
    ),
    Field("tool_choice", MAP, to="tool_choice"),
    Field("tool_choice.allowed_tools", MAP, to="tools: the others are left out"),
    Field("parallel_tool_calls", CARRY),
    Field("max_tool_calls", DROP, why="it bounds tools that a provider runs; none crosses"),
    # --- how the answer is made ---
    Field("text.format", MAP, to="response_format"),
    Field("text.verbosity", MAP, to="verbosity"),
    Field("max_output_tokens", MAP, to="max_tokens"),
    Field("temperature", CARRY),
    Field("top_p", CARRY),
    Field("top_logprobs", MAP, to="logprobs, top_logprobs"),
    Field("include", MAP, to="logprobs; reasoning comes back without being asked for"),
    Field(
        "include[]",
        DROP,
        why="the other values ask for details of tools that a provider runs",
    ),
    Field("reasoning", MAP, to="reasoning_effort, or the skin's own form"),
    Field("reasoning.summary", DROP, why="Chat shows its reasoning as it is, or not at all"),
    Field("reasoning.generate_summary", DROP, why="as `reasoning.summary`"),
    Field("reasoning.context", DROP, why="Chat has no choice of which reasoning counts"),
    Field("reasoning.mode", DROP, why="Chat has no modes of reasoning"),
    Field("stream", MAP, to="stream"),
    Field(
        "stream_options", DROP, why="it pads events against eavesdroppers; answers do not change"
    ),
    Field("model", MAP, to="model"),
    # --- service ---
    Field("prompt_cache_key", CARRY),
    Field("prompt_cache_retention", CARRY),
    Field("prompt_cache_options", DROP, why="a cache hint: costs change, meaning does not"),
    Field("service_tier", CARRY),
    Field("user", CARRY),
    Field("safety_identifier", CARRY),
    Field("moderation", CARRY),
    Field("metadata", DROP, why="labels for answers that a provider keeps; Chat keeps none"),
    Field("client_metadata", DROP, why="ids of the client's session, of no use to a model"),
    Field("truncation", DROP, why="Chat shortens no history; one too long is an error"),
    Field("context_management", DROP, why="Chat compacts no history; one too long is an error"),
    Field(
        "access_programs", DROP, why="a right at one provider, which Chat targets do not ask for"
    ),
    Field("image", DROP, why="options of a tool that a provider runs"),
    # --- state on a server ---
    Field("store", REFUSE, why=_ON_SERVER, feature="stateful"),
    Field("previous_response_id", REFUSE, why=_ON_SERVER, feature="stateful"),
    Field("conversation", REFUSE, why=_ON_SERVER, feature="stateful"),
    Field("background", REFUSE, why=_ON_SERVER, feature="stateful"),
    Field("prompt", REFUSE, why=_ON_SERVER, feature=signs.PROMPT),
)

TABLE: Final = Table("responses_to_chat", FIELDS)
