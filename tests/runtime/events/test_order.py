"""The legal orders of events, transition by transition, and what a whole answer is made of."""

import pytest

from runtime.events import (
    Answer,
    BlockDelta,
    BlockEnded,
    BlockStarted,
    Finished,
    IllegalEvent,
    Opaque,
    Order,
    Part,
    Reasoning,
    Started,
    Text,
    ToolCall,
    fold,
    unfold,
)
from runtime.usage import Usage

START = Started("a")
OPEN, MORE, END = BlockStarted(0, Text()), BlockDelta(0, "x"), BlockEnded(0)
OPEN_1, MORE_1, END_1 = BlockStarted(1, Text()), BlockDelta(1, "y"), BlockEnded(1)
FINISH = Finished("stop")
EVENTS = {
    "Started": START,
    "BlockStarted(0)": OPEN,
    "BlockDelta(0)": MORE,
    "BlockEnded(0)": END,
    "BlockStarted(1)": OPEN_1,
    "BlockDelta(1)": MORE_1,
    "BlockEnded(1)": END_1,
    "Finished": FINISH,
}

# what came before -> the only events that may come next; all others are illegal
STATES = {
    "nothing": ((), {"Started"}),
    "the beginning": ((START,), {"BlockStarted(0)", "Finished"}),
    "an open block": (
        (START, OPEN, MORE),
        {"BlockDelta(0)", "BlockEnded(0)", "BlockStarted(1)"},
    ),
    "an ended block": ((START, OPEN, END), {"BlockStarted(1)", "Finished"}),
    "two open blocks": (
        (START, OPEN, OPEN_1),
        {"BlockDelta(0)", "BlockEnded(0)", "BlockDelta(1)", "BlockEnded(1)"},
    ),
    "the first of two ended": ((START, OPEN, OPEN_1, END), {"BlockDelta(1)", "BlockEnded(1)"}),
    "the second of two ended": ((START, OPEN, OPEN_1, END_1), {"BlockDelta(0)", "BlockEnded(0)"}),
    "the end": ((START, FINISH), set()),
}


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("state", STATES)
def test_an_event_may_come_after_these_and_after_no_others(state, name):
    before, legal = STATES[state]
    order = Order()
    for event in before:
        order.follow(event)
    if name in legal:
        order.follow(EVENTS[name])
    else:
        with pytest.raises(IllegalEvent):
            order.follow(EVENTS[name])


@pytest.mark.parametrize("index", [-1, 1, 7])
@pytest.mark.parametrize("kind", [BlockDelta, BlockEnded])
def test_a_number_that_no_block_has_is_illegal(kind, index):
    order = Order()
    order.follow(START)
    order.follow(OPEN)
    event = BlockDelta(index, "x") if kind is BlockDelta else BlockEnded(index)
    with pytest.raises(IllegalEvent):
        order.follow(event)


@pytest.mark.parametrize("index", [-1, 1, 2])
def test_blocks_are_numbered_from_0_without_a_gap(index):
    order = Order()
    order.follow(START)
    with pytest.raises(IllegalEvent):
        order.follow(BlockStarted(index, Text()))


def test_an_illegal_event_leaves_the_order_where_it_was():
    order = Order()
    order.follow(START)
    order.follow(OPEN)
    with pytest.raises(IllegalEvent):
        order.follow(FINISH)
    order.follow(END)
    order.follow(FINISH)
    assert order.state == "finished"


SEALED = Opaque("messages", {"signature": "s"})
WHOLE = Answer(
    "a",
    (
        Part(Reasoning(), "hm", SEALED),
        Part(Text(), "Hello", None, ({"token": "Hello"},)),
        Part(ToolCall("c", "f"), ""),
    ),
    "tool_calls",
    Usage(input=3),
)


def test_a_whole_answer_is_the_fold_of_its_events_whichever_way_they_interleave():
    events = [
        Started("a"),
        BlockStarted(0, Reasoning()),
        BlockDelta(0, "h"),
        BlockStarted(1, Text()),
        BlockDelta(1, "Hel", ({"token": "Hello"},)),
        BlockDelta(0, "m"),
        BlockStarted(2, ToolCall("c", "f")),
        BlockEnded(2),
        BlockEnded(0, SEALED),
        BlockDelta(1, "lo"),
        BlockEnded(1),
        Finished("tool_calls", Usage(input=3)),
    ]
    assert fold(events) == WHOLE


def test_a_whole_answer_unfolds_into_events_that_make_it():
    assert fold(unfold(WHOLE)) == WHOLE


@pytest.mark.parametrize("count", range(4))
def test_too_few_events_make_no_answer(count):
    with pytest.raises(IllegalEvent):
        fold([START, OPEN, END, FINISH][:count])
