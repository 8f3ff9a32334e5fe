"""The fate of every Chat field on its way to Responses."""

from __future__ import annotations

from typing import Final

from runtime import signs
from runtime.bridges.fields import CARRY, DROP, MAP, REFUSE, Field, Table

_UPLOADED: Final = "an uploaded file is at its provider only"
_NO_PENALTY: Final = "Responses has no penalties; wording may repeat more, meaning stays"

FIELDS: Final = (
    Field("model", MAP, to="model"),
    Field("messages", MAP, to="input"),
    Field("messages[role=system]", MAP, to="instructions"),
    Field("messages[role=developer]", MAP, to="instructions"),
    Field("messages[].name", DROP, why="messages of Responses name nobody"),
    Field("max_tokens", MAP, to="max_output_tokens"),
    Field("max_completion_tokens", MAP, to="max_output_tokens"),
    Field("stream", MAP, to="stream"),
    Field("stream_options", MAP, to="stream_options"),
    Field("temperature", CARRY),
    Field("top_p", CARRY),
    Field("top_k", DROP, why="Responses has no top_k; sampling changes, meaning does not"),
    Field("min_p", DROP, why="Responses has no min_p; sampling changes, meaning does not"),
    Field("frequency_penalty", DROP, why=_NO_PENALTY),
    Field("presence_penalty", DROP, why=_NO_PENALTY),
    Field("repetition_penalty", DROP, why=_NO_PENALTY),
    Field("logit_bias", DROP, why="Responses cannot favour single tokens"),
    Field("seed", DROP, why="Responses has no seed; answers vary from run to run"),
    Field("stop", DROP, why="Responses cannot stop at a text; the answer may go on behind it"),
    Field("n", REFUSE, why="Responses gives one answer to a request", feature="multiple"),
    Field("logprobs", MAP, to="include"),
    Field("top_logprobs", CARRY),
    # tools
    Field("tools", MAP, to="tools"),
    Field("tools[].strict", MAP, to="tools[].strict"),
    Field("tools[type=custom]", MAP, to="tools[type=custom]"),
    Field(
        "tools[type=hosted]",
        REFUSE,
        why="what one provider runs itself runs nowhere else",
        feature="hosted:<type>",
    ),
    Field(
        "web_search_options",
        REFUSE,
        why="what one provider searches itself is searched nowhere else",
        feature="hosted:web_search",
    ),
    Field("functions", MAP, to="tools"),
    Field("function_call", MAP, to="tool_choice"),
    Field("tool_choice", MAP, to="tool_choice"),
    Field("parallel_tool_calls", CARRY),
    # how the answer is made
    Field("reasoning_effort", MAP, to="reasoning.effort"),
    Field("reasoning", MAP, to="reasoning"),
    Field("thinking", MAP, to="reasoning"),
    Field("response_format", MAP, to="text.format"),
    Field("verbosity", MAP, to="text.verbosity"),
    Field("service_tier", CARRY),
    Field("prediction", DROP, why="a guess that speeds an answer up; the answer is the same"),
    Field("modalities", DROP, why="Responses answers in text"),
    Field("audio", REFUSE, why="Responses does not speak", feature=signs.SPEECH),
    # history
    Field("content[type=text]", MAP, to="input[].content[type=input_text]"),
    Field("content[type=refusal]", MAP, to="input[].content[type=refusal]"),
    Field("content[type=image_url]", MAP, to="input[].content[type=input_image]"),
    Field("content[type=file]", MAP, to="input[].content[type=input_file]"),
    Field(
        "content[type=input_audio]",
        REFUSE,
        why="Responses does not listen",
        feature="audio",
    ),
    Field("content[].file_id", REFUSE, why=_UPLOADED, feature=signs.FILE_ID),
    Field("content[].file.file_id", REFUSE, why=_UPLOADED, feature=signs.FILE_ID),
    Field("messages[].refusal", MAP, to="input[].content[type=refusal]"),
    Field("messages[].tool_calls", MAP, to="input[type=function_call]"),
    Field("messages[].function_call", MAP, to="input[type=function_call]"),
    Field("messages[role=tool]", MAP, to="input[type=function_call_output]"),
    Field("messages[role=function]", MAP, to="input[type=function_call_output]"),
    Field("messages[].audio", DROP, why="speech of earlier answers is kept at its provider"),
    Field(
        "messages[].reasoning_details",
        DROP,
        why="carried as input[type=reasoning] where it is this provider's own; else nobody here "
        "can read it",
    ),
    Field(
        "messages[].reasoning_content",
        DROP,
        why="Responses takes reasoning back as its own sealed items only",
    ),
    Field("messages[].reasoning", DROP, why="as `messages[].reasoning_content`"),
    Field("tool_result:missing", DROP, why="a call without a result gets one that says so"),
    Field("tool_result:without_call", DROP, why="a result without a call is told by the user"),
    Field(
        "prefill",
        DROP,
        why="a last assistant turn is history on Responses; a user turn asks to go on",
    ),
    # caches and accounting
    Field("prompt_cache_key", CARRY),
    Field("prompt_cache_options", CARRY),
    Field("prompt_cache_retention", CARRY),
    Field(
        "content[].prompt_cache_breakpoint",
        MAP,
        to="input[].content[].prompt_cache_breakpoint",
    ),
    Field(
        "cache_control",
        DROP,
        why="Responses caches prompts by itself; the answer is the same, its price may not be",
    ),
    Field("metadata", CARRY),
    Field("user", CARRY),
    Field("safety_identifier", CARRY),
    Field("moderation", CARRY),
    Field(
        "store",
        REFUSE,
        why="nothing is kept upstream; false is what is always sent",
        feature="stateful",
    ),
)
TABLE: Final = Table("chat_to_responses", FIELDS)
