"""Recorded answers on their way back to callers of the other dialects."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from runtime import sse
from runtime.bridges.tools import legal_id
from runtime.dialects import DIALECTS
from runtime.errors import UpstreamError
from runtime.events import Answer, Event, Part, Reasoning, Refusal, ToolCall, fold
from runtime.passage import Passage, passage
from runtime.vocabulary import Skin
from tests.bridges.crossings import DOMAIN, SETTINGS, SKINS, SURFACES, step_to
from tests.runtime.answers.recordings import Recording, recordings
from tests.runtime.dialects.bodies import body_of

IDS = {"chat": "chatcmpl-ours", "responses": "resp_ours", "messages": "msg_ours"}
CREATED = 1_795_219_200
# What tells a caller that the answer is complete.
TERMINATORS = {
    "chat": (b"[DONE]", b'"finish_reason":"'),
    "messages": (b"message_stop", b'"stop_reason":"'),
    "responses": (b"response.completed", b"response.incomplete"),
}
_THINKS = SKINS["chat"]
_TAGGED = msgspec.structs.replace(
    _THINKS, reasoning=msgspec.structs.replace(_THINKS.reasoning, field="think")
)


class Run(NamedTuple):
    """What a caller got of one streamed answer."""

    out: bytes
    relay: Any

    @property
    def error(self) -> UpstreamError | None:
        return self.relay.error

    @property
    def frames(self) -> list[bytes]:
        """Whole events; that nothing else was sent is checked."""
        splitter = sse.Splitter()
        found = splitter.feed(self.out)
        assert splitter.close() == b""
        return found


def cells(*, streaming: bool) -> list[tuple[Recording, str]]:
    """Every recording with each surface it may have to be told on."""
    return [
        (recording, surface)
        for recording in recordings()
        if recording.streaming is streaming
        for surface in SURFACES
        if surface != recording.dialect
    ]


def way_back(recording: Recording, surface: str, skin: Skin, *, streaming: bool) -> Passage:
    """The passage of a plain request of that surface; ids and clock are pinned."""
    more = {"stream_options": {"include_usage": True}} if surface == "chat" and streaming else {}
    body = body_of(surface, stream=streaming or None, **more)
    reading = DIALECTS[surface].read(body, {}, SETTINGS)
    step = step_to(recording.dialect, reading, skin).step
    made: Any = passage(body, reading, surface, recording.dialect, step, DOMAIN)
    way = msgspec.structs.replace(made.way, answer_id=IDS[surface], created=CREATED)
    return msgspec.structs.replace(made, way=way)


def relay(recording: Recording, surface: str, *, synthesized: bool = False) -> Any:
    """A new relay for a streamed answer, or for one in one piece that is to be streamed."""
    skin = msgspec.structs.replace(_skin_of(recording), synthesized=synthesized)
    return way_back(recording, surface, skin, streaming=True).watcher(None)


def run(recording: Recording, surface: str, pieces: Iterable[bytes] | None = None) -> Run:
    """The whole of a streamed answer, in pieces if so told."""
    made = relay(recording, surface)
    out = b"".join(made.feed(piece) for piece in pieces or [recording.body])
    return Run(out + made.eof(), made)


def synthesized(recording: Recording, surface: str) -> Run:
    """An answer in one piece, streamed to a caller who asked for that."""
    made = relay(recording, surface, synthesized=True)
    out = made.feed(recording.body)
    return Run(out + made.eof(), made)


def whole(recording: Recording, surface: str) -> bytes:
    """The body that the caller gets of an answer in one piece. Raises UpstreamError."""
    made = way_back(recording, surface, _skin_of(recording), streaming=False)
    return made.whole(recording.body, None).body


def understood(surface: str, frames: Iterable[bytes]) -> Answer:
    """What a client of this dialect reads in these frames."""
    decoder = DIALECTS[surface].decoder(SKINS[surface])
    events = []
    for frame in frames:
        name, data = sse.parse(frame)
        if data and data != b"[DONE]":
            events += decoder.feed(name, data)
    return fold([*events, *decoder.flush()])


def _skin_of(recording: Recording) -> Skin:
    """Hugging Face's recordings begin with thinking between tags, which their skins say."""
    tagged = recording.file.startswith("chat/huggingface__truncated-reasoning")
    return _TAGGED if tagged else SKINS[recording.dialect]


def understood_whole(surface: str, body: bytes) -> Answer:
    """What a client of this dialect reads in an answer in one piece."""
    return fold(DIALECTS[surface].decoder(SKINS[surface]).whole(body))


def events_of(recording: Recording) -> list[Event]:
    """What the upstream said in a stream, in the words of no dialect."""
    dialect, skin = DIALECTS[recording.dialect], _skin_of(recording)
    decoder, watcher = dialect.decoder(skin), dialect.Watcher("group")
    splitter = sse.Splitter()
    events = []
    for frame in splitter.feed(watcher.feed(recording.body) + watcher.eof()):
        name, data = sse.parse(frame)
        if data and data != b"[DONE]":
            events += decoder.feed(name, data)
    return [*events, *decoder.flush()]


# --- what an answer says, as far as a dialect can say it -----------------------------------------

# What becomes of a reason in a dialect that has no word for it.
_OPENAI = {"stop_sequence": "stop", "pause": "stop", "context": "length"}
_REASONS = {"chat": _OPENAI, "responses": _OPENAI, "messages": {"content_filter": "refusal"}}


def said(answer: Answer, surface: str) -> dict[str, Any]:
    """What must be the same on both sides, without what the surface has no words for.

    Chat has one text, with blank lines in it, one thinking and a list of calls; Messages has no
    refusals apart from texts.
    """
    texts: dict[str, list[str]] = {"text": [], "refusal": [], "reasoning": []}
    calls = []
    for part in answer.parts:
        match part.block:
            case ToolCall():
                calls.append(_call(part, surface))
            case Reasoning():
                texts["reasoning"].append(part.text)
            case Refusal() if surface != "messages":
                texts["refusal"].append(part.text)
            case _:
                texts["text"].append(part.text)
    if surface == "chat":
        texts["text"] = "".join(texts["text"]).split()
    return {
        **{kind: "".join(found) for kind, found in texts.items()},
        "calls": calls,
        "reason": _reason(answer, surface),
    }


def tokens(answer: Answer) -> tuple[int, ...] | None:
    """Input, output and cached tokens; None where the upstream did not tell."""
    usage = answer.usage
    if usage is None or usage.input is None or usage.output is None:
        return None
    return usage.input, usage.output, usage.cached or 0, usage.reasoning or 0


def _call(part: Part, surface: str) -> tuple[Any, ...]:
    call: Any = part.block
    text = part.text
    if call.custom and surface == "messages":
        return legal_id(call.id), call.name, False, {"input": text}
    given = text if call.custom else json.loads(text or "{}")
    return legal_id(call.id), call.name, call.custom, given


def _reason(answer: Answer, surface: str) -> str:
    refused = any(isinstance(part.block, Refusal) for part in answer.parts)
    if surface == "messages" and refused and answer.reason == "stop":
        return "refusal"
    if surface != "messages" and answer.reason == "refusal":
        return "stop" if refused else "content_filter"
    return _REASONS[surface].get(answer.reason, answer.reason)
