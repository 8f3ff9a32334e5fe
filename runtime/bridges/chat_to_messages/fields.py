"""The fate of every Chat field on its way to Messages."""

from __future__ import annotations

from typing import Final

from runtime import signs
from runtime.bridges.fields import CARRY, DROP, MAP, REFUSE, Field, Table
from runtime.bridges.to_messages.fields import TOOL_FIELDS

_ON_SERVER: Final = "it names something another provider keeps, which no Messages target holds"
_CACHE: Final = "prompt prefixes are found again by what they say; costs change, meaning does not"
_SAMPLING: Final = "Messages has no such knob; sampling changes, meaning does not"

FIELDS: Final = (
    # --- what the model is told ---
    Field("messages", MAP, to="messages, and system"),
    Field("messages[role=system]", MAP, to="system; later ones as the skin takes them"),
    Field("messages[role=developer]", MAP, to="system; later ones as the skin takes them"),
    Field("messages[role=tool]", MAP, to="content[type=tool_result]"),
    Field("messages[role=function]", MAP, to="content[type=tool_result]"),
    Field("messages[].tool_calls", MAP, to="content[type=tool_use]"),
    Field("messages[].function_call", MAP, to="content[type=tool_use]"),
    Field("messages[].refusal", MAP, to="content[type=text]"),
    Field("messages[].name", DROP, why="Messages does not tell speakers of one role apart"),
    Field("messages[].audio", DROP, why="an earlier answer as sound, which only its maker keeps"),
    Field(
        "messages[].reasoning_content",
        DROP,
        why="thinking goes back to the provider that signed it only, with its signature",
    ),
    Field("messages[].reasoning", DROP, why="as `messages[].reasoning_content`"),
    Field(
        "messages[].reasoning_details",
        DROP,
        why="carried as content[type=thinking] where this provider signed it; else nobody here "
        "can read it",
    ),
    Field(
        "cache_control",
        DROP,
        why="breakpoints of parts are carried where the skin takes them, up to four",
    ),
    Field("content[type=text]", CARRY),
    Field("content[type=refusal]", MAP, to="content[type=text]"),
    Field("content[type=image_url]", MAP, to="content[type=image]"),
    Field("content[type=file]", MAP, to="content[type=document]"),
    Field("content[type=input_audio]", REFUSE, why="Messages takes no audio", feature="audio"),
    Field("content[].file_id", REFUSE, why=_ON_SERVER, feature=signs.FILE_ID),
    Field("content[].detail", DROP, why="Messages shows every image in one resolution"),
    Field(
        "content[].prompt_cache_breakpoint",
        DROP,
        why="carried as `cache_control` where the skin takes it; elsewhere costs change",
    ),
    # --- tools ---
    *TOOL_FIELDS,
    Field("functions", MAP, to="tools[].input_schema"),
    Field("function_call", MAP, to="tool_choice"),
    Field("web_search_options", DROP, why="the search of another provider"),
    # --- how the answer is made ---
    Field("response_format", MAP, to="output_config.format"),
    Field(
        "response_format[type=json_object]",
        REFUSE,
        why="Messages writes JSON by a schema only",
        feature="json.object",
    ),
    Field("max_tokens", CARRY),
    Field("max_completion_tokens", MAP, to="max_tokens"),
    Field("stop", MAP, to="stop_sequences; those of white space alone are left out"),
    Field("temperature", CARRY),
    Field("top_p", CARRY),
    Field("top_k", CARRY),
    Field("frequency_penalty", DROP, why=_SAMPLING),
    Field("presence_penalty", DROP, why=_SAMPLING),
    Field("logit_bias", DROP, why="token numbers of another model; sampling changes"),
    Field("seed", DROP, why="Messages cannot repeat an answer; two alike may differ"),
    Field("prediction", DROP, why="a hint for speed; the answer does not change"),
    Field("verbosity", DROP, why="Messages has no measure of verbosity; answers may be longer"),
    Field("n", REFUSE, why="Messages gives one answer", feature="multiple"),
    Field("logprobs", REFUSE, why="Messages tells no probabilities", feature="logprobs"),
    Field("top_logprobs", REFUSE, why="Messages tells no probabilities", feature="logprobs"),
    Field("audio", REFUSE, why="Messages does not speak", feature=signs.SPEECH),
    Field("modalities", DROP, why="Messages answers in text"),
    Field("reasoning_effort", MAP, to="the form of the skin"),
    Field("reasoning", MAP, to="the form of the skin"),
    Field("thinking", MAP, to="the form of the skin"),
    Field("stream", MAP, to="stream"),
    Field("stream_options", MAP, to="usage, which Messages always tells"),
    Field(
        "stream_options.include_obfuscation",
        DROP,
        why="it pads events against eavesdroppers; answers do not change",
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
    Field("store", REFUSE, why=_ON_SERVER, feature="stateful"),
)

TABLE: Final = Table("chat_to_messages", FIELDS)
