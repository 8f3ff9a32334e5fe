"""The fate of every Responses field on its way to Messages."""

from __future__ import annotations

from typing import Final

from runtime import signs
from runtime.bridges.fields import CARRY, DROP, MAP, REFUSE, Field, Table
from runtime.bridges.to_messages.fields import TOOL_FIELDS

_ON_SERVER: Final = "it names something a Responses server keeps, which no Messages target holds"
_HOSTED: Final = "what a tool of another provider did is not told; the text about it stays"
_CACHE: Final = "prompt prefixes are found again by what they say; costs change, meaning does not"

FIELDS: Final = (
    # --- what the model is told ---
    Field("instructions", MAP, to="system"),
    Field("input", MAP, to="messages"),
    Field("input[role=developer]", MAP, to="system; later ones as the skin takes them"),
    Field("input[type=message]", MAP, to="messages"),
    Field("input[type=function_call]", MAP, to="content[type=tool_use]"),
    Field("input[type=function_call_output]", MAP, to="content[type=tool_result]"),
    Field("input[type=custom_tool_call]", MAP, to="content[type=tool_use]"),
    Field("input[type=custom_tool_call_output]", MAP, to="content[type=tool_result]"),
    Field("input[type=local_shell_call]", MAP, to="content[type=tool_use]"),
    Field("input[type=local_shell_call_output]", MAP, to="content[type=tool_result]"),
    Field("input[type=shell_call]", MAP, to="content[type=tool_use]"),
    Field("input[type=shell_call_output]", MAP, to="content[type=tool_result]"),
    Field("input[type=apply_patch_call]", MAP, to="content[type=tool_use]"),
    Field("input[type=apply_patch_call_output]", MAP, to="content[type=tool_result]"),
    Field("input[type=computer_call]", MAP, to="content[type=tool_use]"),
    Field("input[type=computer_call_output]", MAP, to="content[type=tool_result]"),
    Field("input[type=mcp_call]", MAP, to="content[type=tool_use] and its tool_result"),
    Field("input[type=code_interpreter_call]", MAP, to="content[type=tool_use] and its result"),
    Field("input[type=file_search_call]", MAP, to="content[type=tool_use] and its result"),
    Field(
        "input[type=reasoning]",
        MAP,
        to="content[type=thinking], where this provider signed it",
    ),
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
    Field(
        "input[type=configuration_update]",
        DROP,
        why="Messages has one configuration a request",
    ),
    Field(
        "input[type=compaction]",
        DROP,
        why="only its maker can read it; what it sums up is not known to the model any more",
    ),
    Field("input[type=compaction_summary]", DROP, why="only its maker can read it"),
    Field(
        "input[type=compaction_trigger]",
        REFUSE,
        why="it asks for a compaction item, which no Messages target makes",
        feature=signs.COMPACTION,
    ),
    Field("input[type=item_reference]", REFUSE, why=_ON_SERVER, feature="stateful"),
    Field("item_reference", DROP, why="a reference to reasoning; the model thinks anew"),
    Field(
        "reasoning.encrypted_content",
        DROP,
        why="reasoning that another provider made, and no one else can read",
    ),
    Field("input[].phase", DROP, why="Messages does not tell comments from the final answer"),
    Field("content[type=input_text]", MAP, to="content[type=text]"),
    Field("content[type=output_text]", MAP, to="content[type=text]"),
    Field("content[type=refusal]", MAP, to="content[type=text]"),
    Field("content[type=input_image]", MAP, to="content[type=image]"),
    Field("content[type=input_file]", MAP, to="content[type=document]"),
    Field("content[type=input_audio]", REFUSE, why="Messages takes no audio", feature="audio"),
    Field("content[].file_id", REFUSE, why=_ON_SERVER, feature=signs.FILE_ID),
    Field("content[].detail", DROP, why="Messages shows every image in one resolution"),
    Field("content[].annotations", DROP, why="sources of an earlier answer; its text stays"),
    Field(
        "content[].prompt_cache_breakpoint",
        DROP,
        why="carried as `cache_control` where the skin takes it; elsewhere costs change",
    ),
    # --- tools ---
    *TOOL_FIELDS,
    Field("tools[type=namespace]", MAP, to="tools with the namespace in their names"),
    Field("max_tool_calls", DROP, why="it bounds tools that a provider runs; none crosses"),
    # --- how the answer is made ---
    Field("text.format", MAP, to="output_config.format"),
    Field(
        "text.format[type=json_object]",
        REFUSE,
        why="Messages writes JSON by a schema only",
        feature="json.object",
    ),
    Field(
        "text.verbosity", DROP, why="Messages has no measure of verbosity; answers may be longer"
    ),
    Field("max_output_tokens", MAP, to="max_tokens"),
    Field("temperature", CARRY),
    Field("top_p", CARRY),
    Field("top_logprobs", REFUSE, why="Messages tells no probabilities", feature="logprobs"),
    Field(
        "include",
        DROP,
        why="beside reasoning, which comes back without being asked for, the "
        "values ask for details of tools that a provider runs",
    ),
    Field("reasoning", MAP, to="the form of the skin"),
    Field(
        "reasoning.summary",
        DROP,
        why="carried as `thinking.display` where the skin has summaries; elsewhere thinking "
        "comes as it is, or not at all",
    ),
    Field("reasoning.generate_summary", DROP, why="as `reasoning.summary`"),
    Field("reasoning.context", DROP, why="Messages has no choice of which reasoning counts"),
    Field("reasoning.mode", DROP, why="Messages has no modes of reasoning"),
    Field("stream", MAP, to="stream"),
    Field(
        "stream_options", DROP, why="it pads events against eavesdroppers; answers do not change"
    ),
    Field("model", MAP, to="the model of the target"),
    # --- service ---
    Field("prompt_cache_key", DROP, why=_CACHE),
    Field("prompt_cache_retention", DROP, why=_CACHE),
    Field("prompt_cache_options", DROP, why=_CACHE),
    Field("service_tier", MAP, to="service_tier, for `auto` and `default`"),
    Field("safety_identifier", MAP, to="metadata.user_id"),
    Field("user", MAP, to="metadata.user_id"),
    Field("moderation", DROP, why="Messages moderates by rules of its provider"),
    Field("metadata", DROP, why="labels for answers that a provider keeps; Messages keeps none"),
    Field("client_metadata", DROP, why="ids of the client's session, of no use to a model"),
    Field("truncation", DROP, why="Messages shortens no history; one too long is an error"),
    Field("context_management", DROP, why="this target compacts no history"),
    Field(
        "access_programs",
        DROP,
        why="a right at one provider, which Messages targets do not ask for",
    ),
    Field("image", DROP, why="options of a tool that a provider runs"),
    # --- state on a server ---
    Field("store", REFUSE, why=_ON_SERVER, feature="stateful"),
    Field("previous_response_id", REFUSE, why=_ON_SERVER, feature="stateful"),
    Field("conversation", REFUSE, why=_ON_SERVER, feature="stateful"),
    Field("background", REFUSE, why=_ON_SERVER, feature="stateful"),
    Field("prompt", REFUSE, why=_ON_SERVER, feature=signs.PROMPT),
)

TABLE: Final = Table("responses_to_messages", FIELDS)
