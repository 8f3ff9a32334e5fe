"""Legal answers as events, drawn by hypothesis: every block, order, ending and awkward letter."""

import json
from typing import get_args

from hypothesis import strategies as st

from runtime.dialects.way import Way
from runtime.events import (
    BlockDelta,
    BlockEnded,
    BlockStarted,
    Finished,
    Opaque,
    Reason,
    Reasoning,
    Refusal,
    Started,
    Text,
    ToolCall,
)
from runtime.usage import Usage

REASONS = get_args(Reason)
IDS = {"chat": "chatcmpl-1a2b", "responses": "resp_1a2b", "messages": "msg_1a2b"}

# Line ends to a splitter that works on text, the end of an event, letters of two UTF-16 units.
AWKWARD = [
    "\u2028",
    "\u0085",
    "\r\n",
    "\n\n",
    "data: [DONE]\n\n",
    "\U0001f642",
    '"',
    "\\",
    "\x00",
    " ",
]
TEXTS = st.sampled_from(AWKWARD) | st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=8
)
NAMES = st.text(st.sampled_from("abcXYZ_-09"), min_size=1, max_size=12)
OBJECTS = st.dictionaries(
    st.text(st.sampled_from("ab☀"), max_size=3),
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    max_size=3,
)
COUNTS = st.none() | st.integers(0, 10_000)
USAGES = st.none() | st.builds(
    Usage, input=COUNTS, output=COUNTS, cached=COUNTS, cache_write=COUNTS, reasoning=COUNTS
)
MAKERS = ["chat", "messages", "responses"]
REDACTED = Opaque("messages", {"redacted": "cmVk"})


def state(maker, number):
    """Opaque state as a dialect has it, of a reasoning block with this number."""
    details = [{"type": "reasoning.text", "index": number, "signature": "s"}]
    data = {
        "chat": {"details": details},
        "messages": {"signature": "c2ln"},
        "responses": {"id": f"rs_theirs_{number}", "encrypted_content": "gAAA"},
    }
    return Opaque(maker, data[maker])


def way(dialect, **more):
    """How an answer goes back to a caller of this dialect."""
    fixed = {
        "asked": "coder",
        "answer_id": IDS[dialect],
        "created": 1_795_219_232,
        "input_tokens": 77,
        "include_usage": True,
        "domain": "home",
    }
    return Way(**fixed | more)


@st.composite
def spoken(draw, number, maker):
    """A block of words, its deltas and its state, which is of the dialect that made the answer."""
    block = draw(st.sampled_from([Text(), Refusal(), Reasoning(), Reasoning(summary=True)]))
    texts = draw(st.lists(TEXTS, max_size=3))
    states = [None]
    if isinstance(block, Reasoning):
        states.append(state(maker, number))
        if maker == "messages" and not texts:
            states.append(REDACTED)
    return block, texts, draw(st.sampled_from(states))


@st.composite
def calls(draw, number, custom):
    """A tool call; the arguments of a function are a JSON object in pieces."""
    custom = draw(st.booleans()) if custom is None else custom
    block = ToolCall(f"call_{number}", draw(NAMES), custom, draw(st.sampled_from([None, "mcp"])))
    if custom:
        return block, draw(st.lists(TEXTS, max_size=3)), None
    text = json.dumps(draw(OBJECTS), ensure_ascii=draw(st.booleans()))
    cut = draw(st.integers(0, len(text)))
    return block, [piece for piece in (text[:cut], text[cut:]) if piece], None


@st.composite
def answers(draw, *, custom=None, overlap=3):
    """The events of one legal answer.

    `custom`: whether calls are of custom tools, None for any; `overlap`: how many blocks may be
    open at once.
    """
    kinds = draw(st.lists(st.booleans(), max_size=5))
    maker = draw(st.sampled_from(MAKERS))
    blocks = [
        draw(calls(number, custom)) if is_call else draw(spoken(number, maker))
        for number, is_call in enumerate(kinds)
    ]
    reason = draw(st.sampled_from(REASONS))
    met = draw(TEXTS) if reason == "stop_sequence" else None
    return [
        Started(draw(st.sampled_from(["", "upstream-id"]))),
        *draw(interleaved(blocks, overlap)),
        Finished(reason, draw(USAGES), met),
    ]


@st.composite
def interleaved(draw, blocks, overlap):
    """The events of these blocks, which begin in order."""
    scripts = [
        [
            BlockStarted(index, block),
            *(BlockDelta(index, text) for text in texts),
            BlockEnded(index, state),
        ]
        for index, (block, texts, state) in enumerate(blocks)
    ]
    events, begun, width = [], 0, draw(st.integers(1, overlap))
    going = []
    while going or begun < len(scripts):
        if begun < len(scripts) and len(going) < width and (not going or draw(st.booleans())):
            going.append(iter(scripts[begun]))
            begun += 1
            script = going[-1]
        else:
            script = going[draw(st.integers(0, len(going) - 1))]
        event = next(script)
        events.append(event)
        if isinstance(event, BlockEnded):
            going.remove(script)
    return events
