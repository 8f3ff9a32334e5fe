"""What a whole answer gets back of its tools is what its events get back one by one."""

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.bridges.tools import Original, Renamer, ToolNames
from runtime.events import Answer, BlockStarted, Part, Text, ToolCall, fold
from tests.runtime.events.legal import NAMES, answers

CALLED = ToolCall("call_1", "sent")


def whole(names, *parts):
    return Renamer(names, "msg_1").whole(Answer("up", parts, "tool_calls")).parts


@st.composite
def renamed(draw):
    """The events of an answer, some of its calls without an id, and names for some of its tools."""
    events = draw(answers())
    begun = [event.block for event in events if isinstance(event, BlockStarted)]
    calls = [block for block in begun if isinstance(block, ToolCall)]
    sent = {
        name: Original(draw(NAMES), draw(st.booleans()), draw(st.sampled_from([None, "mcp"])))
        for name in sorted({call.name for call in calls})
        if draw(st.booleans())
    }
    flat = frozenset(original.name for original in sent.values() if draw(st.booleans()))
    ids = {call: draw(st.sampled_from([call.id, "", "not legal!"])) for call in calls}
    events = [
        BlockStarted(event.index, with_id(event.block, ids[event.block]))
        if isinstance(event, BlockStarted) and event.block in ids
        else event
        for event in events
    ]
    return events, ToolNames(sent, flat)


def with_id(call, call_id):
    return ToolCall(call_id, call.name, call.custom, call.namespace)


@settings(max_examples=150, deadline=None)
@given(renamed())
def test_a_whole_answer_is_renamed_as_its_events_are(drawn):
    events, names = drawn
    renamer = Renamer(names, "msg_1")
    told = fold(again for event in events for again in renamer.feed(event))
    assert Renamer(names, "msg_1").whole(fold(events)) == told


def test_a_call_that_says_nothing_has_an_empty_object():
    (part,) = whole(ToolNames(), Part(CALLED))
    assert part == Part(CALLED, "{}")


def test_what_a_wrapped_custom_tool_is_told_is_unwrapped():
    names = ToolNames({"sent": Original("patch", custom=True)})
    (part,) = whole(names, Part(CALLED, '{"input":"*** Begin"}'))
    assert part == Part(ToolCall("call_1", "patch", custom=True), "*** Begin")


def test_a_custom_tool_of_both_sides_is_told_what_it_was_told():
    (part,) = whole(ToolNames(), Part(ToolCall("call_1", "patch", custom=True), '{"input":"x"}'))
    assert part.text == '{"input":"x"}'


def test_an_answer_without_calls_is_the_same_one():
    answer = Answer("up", (Part(Text(), "Hello."),), "stop")
    assert Renamer(ToolNames({"sent": Original("x")}), "msg_1").whole(answer) is answer
