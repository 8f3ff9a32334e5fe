"""What our encoders write, our decoders read, up to what a dialect has no words for."""

import importlib

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from runtime import sse
from runtime.arguments import wrapped
from runtime.dialects import DIALECTS
from runtime.events import Answer, Opaque, Part, Reasoning, Refusal, Text, ToolCall, fold
from runtime.opaque import is_wrapped, unwrap
from tests.runtime.events.legal import answers, way
from tests.runtime.events.sdks import frames_of

BOUNDED = settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
# Chat and Responses: a refusal is words, a pause and a met sequence are ends like any other.
LOST_REASONS = {
    "chat": {"stop_sequence": "stop", "pause": "stop", "context": "length"},
    "responses": {"stop_sequence": "stop", "pause": "stop", "context": "length"},
    "messages": {"content_filter": "refusal"},
}


@pytest.mark.parametrize("dialect", ["responses", "messages"])
@BOUNDED
@given(events=answers(overlap=1))
def test_blocks_come_back_in_order(dialect, events):
    for again in (decoded(dialect, events), decoded_whole(dialect, events)):
        assert list(map(opened, again.parts)) == kept(dialect, fold(events))


@BOUNDED
@given(events=answers(overlap=1))
def test_chat_brings_back_the_words_and_calls(events):
    answer = fold(events)
    for again in (decoded("chat", events), decoded_whole("chat", events)):
        for kind in (Text, Refusal, Reasoning):
            assert words(again, kind) == words(answer, kind)
        calls = [part for part in answer.parts if isinstance(part.block, ToolCall)]
        assert [p for p in again.parts if isinstance(p.block, ToolCall)] == [
            unnamed(call) for call in calls
        ]


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages"])
@BOUNDED
@given(events=answers(overlap=1))
def test_the_ending_comes_back(dialect, events):
    answer = fold(events)
    refused = any(isinstance(part.block, Refusal) for part in answer.parts)
    reason = answer.reason
    if dialect == "messages":
        reason = "refusal" if refused and reason == "stop" else reason
    elif reason == "refusal":
        reason = "stop" if refused else "content_filter"
    reason = LOST_REASONS[dialect].get(reason, reason)
    called = any(isinstance(part.block, ToolCall) for part in answer.parts)
    if reason in ("stop", "tool_calls"):  # decoders settle these two by whether there are calls
        reason = "tool_calls" if called else "stop"
    for again in (decoded(dialect, events), decoded_whole(dialect, events)):
        assert again.reason == reason
        assert again.id == way(dialect).answer_id
        if dialect == "messages":
            assert again.stop_sequence == answer.stop_sequence


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages"])
@BOUNDED
@given(events=answers(overlap=1))
def test_counts_come_back(dialect, events):
    usage = fold(events).usage
    if usage is None or None in (usage.input, usage.output):
        return
    again = decoded(dialect, events).usage
    least = (usage.cached or 0) + (usage.cache_write or 0)
    assert again.input == (max(usage.input, least) if dialect == "messages" else usage.input)
    assert again.output == usage.output
    assert (again.cached, again.cache_write) == (usage.cached or 0, usage.cache_write or 0)
    assert (again.reasoning or 0) == (usage.reasoning or 0)


# --- there and back ------------------------------------------------------------------------------


def decoder(dialect):
    return importlib.import_module(f"runtime.dialects.{dialect}.decoder")


def decoded(dialect, events):
    """Through a stream; nothing in it may be unknown to us."""
    reads = decoder(dialect).Decoder()
    again = []
    for frame in frames_of(DIALECTS[dialect].Encoder(way(dialect)), events):
        name, data = sse.parse(frame)
        if data != b"[DONE]":
            again += reads.feed(name, data)
    again += reads.flush()
    assert not reads.unknown
    return fold(again)


def decoded_whole(dialect, events):
    body = DIALECTS[dialect].encode_whole(fold(events), way(dialect))
    return fold(decoder(dialect).Decoder().whole(body))


# --- what is lost --------------------------------------------------------------------------------


def opened(part):
    """A part with its envelope opened, and the arguments of a call as data."""
    state = part.opaque
    sealed = "" if state is None else state.data.get("signature", "")
    sealed = sealed or ("" if state is None else state.data.get("encrypted_content", ""))
    if is_wrapped(sealed):
        state = unwrap(sealed, "home")
    return comparable(msgspec.structs.replace(part, opaque=state))


def kept(dialect, answer):
    parts = (part for part in answer.parts if part.text or part.opaque or _is_call(part))
    left = [comparable(LOSE[dialect](part)) for part in parts]
    return _joined(left) if dialect == "messages" else left


def _joined(parts):
    """In Messages, text behind text is one text that citations cut."""
    found = []
    for part in parts:
        if found and isinstance(part.block, Text) and isinstance(found[-1].block, Text):
            found[-1] = msgspec.structs.replace(part, text=found[-1].text + part.text)
        else:
            found.append(part)
    return found


def comparable(part):
    """Arguments mean what their JSON means, and an empty text means no arguments."""
    if not isinstance(part.block, ToolCall) or part.block.custom:
        return part
    return msgspec.structs.replace(part, text=msgspec.json.decode(part.text or "{}"))


def _is_call(part):
    return isinstance(part.block, ToolCall)


def _lose_in_responses(part):
    """Responses has all of it, and one kind of reasoning."""
    if isinstance(part.block, Reasoning):
        return msgspec.structs.replace(part, block=Reasoning(summary=True))
    return part


def _lose_in_messages(part):
    """Messages has no refusal in words, no summary, no custom tool and no namespace."""
    match part.block:
        case ToolCall(custom=True):
            part = msgspec.structs.replace(part, text=wrapped(part.text))
            return unnamed(part, custom=False)
        case ToolCall():
            return unnamed(part)
        case Reasoning():
            return msgspec.structs.replace(part, block=Reasoning())
        case _:
            return Part(Text(), part.text)


LOSE = {"responses": _lose_in_responses, "messages": _lose_in_messages}


def unnamed(part, **more):
    """A call without its namespace."""
    block = msgspec.structs.replace(part.block, namespace=None, **more)
    return msgspec.structs.replace(part, block=block)


def words(answer, kind):
    """All text of one kind: Chat has no blocks, and white space alone begins none of ours."""
    texts = (part.text for part in answer.parts if isinstance(part.block, kind))
    return "".join("".join(texts).split())


def test_an_envelope_on_its_way_through_chat_can_be_opened():
    made = Opaque("messages", {"signature": "c2ln"})
    answer = Answer("", (Part(Reasoning(), "hm", made),), "length")
    body = DIALECTS["chat"].encode_whole(answer, way("chat"))
    (part,) = fold(decoder("chat").Decoder().whole(body)).parts
    (detail,) = part.opaque.data["details"]
    assert unwrap(detail["data"], "home") == made
