"""When a stream's first byte goes out, what ends it, and what never reaches the caller."""

import json
from importlib import import_module
from itertools import chain

import pytest

from runtime.dialects.answer import MAX_HELD, content_matches
from runtime.errors import UpstreamError
from tests.runtime.answers import scripts
from tests.runtime.answers.recordings import documents
from tests.runtime.answers.scripts import GOOD, chat, chunk, named, response

DIALECTS = pytest.mark.parametrize("dialect", GOOD)


def module(dialect):
    return import_module(f"runtime.dialects.{dialect}.answer")


def watcher(dialect, **options):
    return module(dialect).Watcher("coder", **options)


def fed(dialect, *pieces, **options):
    """(watcher, what it gave out) after these pieces and a clean end."""
    seen = watcher(dialect, **options)
    out = b"".join(map(seen.feed, pieces))
    return seen, out + seen.eof()


# --- the commit point --------------------------------------------------------------------------


@DIALECTS
def test_nothing_goes_out_before_content_and_then_all_of_it(dialect):
    before, content, after = GOOD[dialect]
    seen = watcher(dialect)
    assert [seen.feed(event) for event in before] == [b""] * len(before)
    assert not seen.committed
    first = seen.feed(content[0])
    assert seen.committed
    assert len(list(documents(first))) == len(before) + 1
    out = first + b"".join(map(seen.feed, after)) + seen.eof()
    assert b"upstream-1" not in out
    assert seen.done


CONTENT = {
    "chat": [
        chunk({"content": "x"}),
        chunk({"content": [{"type": "thinking", "thinking": "x"}]}),
        chunk({"reasoning_content": "x"}),
        chunk({"reasoning": "x"}),
        chunk({"reasoning_details": [{"type": "reasoning.text", "text": "x"}]}),
        chunk({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]}),
        chunk({"function_call": {"name": "f"}}),
        chunk({"refusal": "no"}),
        chunk({"audio": {"id": "a"}}),
        chunk(finish="length"),
        chunk(finish="content_filter"),
    ],
    "messages": [
        scripts.DELTA,
        named({"type": "content_block_start", "content_block": {"type": "tool_use", "id": "t"}}),
        named({"type": "content_block_start", "content_block": {"type": "thinking"}}),
        named({"type": "content_block_start", "content_block": {"type": "redacted_thinking"}}),
        named({"type": "content_block_start", "content_block": {"type": "text", "text": "x"}}),
        named({"type": "message_delta", "delta": {"stop_reason": "refusal"}}),
        named({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}),
    ],
    "responses": [
        scripts.TEXT_DELTA,
        named({"type": "response.output_item.added", "item": {"type": "function_call"}}),
        named({"type": "response.output_item.added", "item": {"type": "reasoning"}}),
        named({"type": "response.output_item.done", "item": {"type": "message"}}),
        named({"type": "response.output_text.done", "text": "x"}),
        named({"type": "response.web_search_call.in_progress"}),
        named({"type": "response.completed", "response": response("completed", output=[{}])}),
        named({"type": "response.incomplete", "response": response("incomplete", output=[])}),
    ],
}
LIFECYCLE = {
    "chat": [
        b": OPENROUTER PROCESSING\n\n",
        chunk({"role": "assistant"}),
        chunk({"role": "assistant", "content": ""}),
        chunk({"role": "assistant", "content": None, "tool_calls": None, "refusal": ""}),
        chunk({"tool_calls": []}),
        chunk(finish="stop"),
        chat({"choices": [], "prompt_filter_results": [{}], "model": ""}),
        chat({"choices": [], "usage": {"prompt_tokens": 1}}),
        chat({"choices": [{"index": 0}]}),
    ],
    "messages": [
        b": ping\n\n",
        scripts.START,
        scripts.PING,
        scripts.EMPTY_BLOCK,
        scripts.BLOCK_STOP,
        scripts.MESSAGE_DELTA,
        named({"type": "content_block_delta", "delta": {"type": "text_delta", "text": ""}}),
    ],
    "responses": [
        b": \n\n",
        scripts.CREATED,
        scripts.ITEM,
        named({"type": "response.queued", "response": response("queued")}),
        named({"type": "response.in_progress", "response": response("in_progress")}),
        named({"type": "response.content_part.added", "part": {"type": "output_text"}}),
        named({"type": "response.output_text.delta", "delta": ""}),
        named({"type": "keepalive", "sequence_number": 3}),
    ],
}


@pytest.mark.parametrize(("dialect", "event"), [(d, e) for d in CONTENT for e in CONTENT[d]])
def test_output_of_any_kind_is_content(dialect, event):
    seen = watcher(dialect)
    assert seen.feed(event)
    assert seen.committed


@pytest.mark.parametrize(("dialect", "event"), [(d, e) for d in LIFECYCLE for e in LIFECYCLE[d]])
def test_an_event_that_carries_nothing_waits(dialect, event):
    seen = watcher(dialect)
    assert seen.feed(event) == b""
    assert not seen.committed
    assert seen.error is None


@DIALECTS
def test_an_upstream_that_sends_lifecycle_events_for_ever_is_given_up(dialect):
    seen = watcher(dialect)
    comment = b": " + b"x" * 1000 + b"\n\n"
    for _ in range(MAX_HELD // 1000 + 1):
        seen.feed(comment)
    assert (seen.error.kind, seen.error.retryable) == ("invalid", True)


# --- the end -----------------------------------------------------------------------------------


@DIALECTS
@pytest.mark.parametrize("committed", [False, True])
def test_a_clean_end_without_the_terminator_is_a_failure(dialect, committed):
    before, content, _ = GOOD[dialect]
    seen, _ = fed(dialect, *before, *(content if committed else []))
    assert not seen.done
    assert seen.error.kind == ("interrupted" if committed else "invalid")
    assert seen.error.retryable is not committed


@DIALECTS
def test_an_answer_that_ends_well_without_content_is_a_failure(dialect):
    before, _, after = GOOD[dialect]
    if dialect == "responses":
        after = [named({"type": "response.completed", "response": response("completed")})]
    seen, out = fed(dialect, *before, *after)
    assert (out, seen.done, seen.error.code) == (b"", False, "upstream-invalid-response")


@pytest.mark.parametrize(("tokens", "reason", "said"), [
    (2, "end_turn", True),
    (0, "end_turn", False),
    (None, "end_turn", False),
    (2, "tool_use", False),
])  # fmt: skip
def test_a_turn_that_ends_without_a_word_counts_when_its_tokens_were_counted(tokens, reason, said):
    usage = {} if tokens is None else {"usage": {"output_tokens": tokens}}
    events = [
        scripts.START,
        named({"type": "message_delta", "delta": {"stop_reason": reason}, **usage}),
        scripts.MESSAGE_STOP,
    ]
    seen, out = fed("messages", *events)
    assert seen.done is said
    assert (seen.error is None) is said
    assert (out.count(b"event: ") == len(events)) is said
    answer = {"type": "message", "model": "up", "content": [], "stop_reason": reason, **usage}
    body = json.dumps(answer).encode()
    if said:
        told = module("messages").whole(body, "coder")
        assert json.loads(told.body) == answer | {"model": "coder"}
    else:
        with pytest.raises(UpstreamError):
            module("messages").whole(body, "coder")


@DIALECTS
def test_an_empty_body_is_a_failure(dialect):
    seen, out = fed(dialect)
    assert (out, seen.done, seen.error.retryable) == (b"", False, True)


@DIALECTS
def test_a_connection_lost_after_the_terminator_does_no_harm(dialect):
    seen = watcher(dialect)
    for event in chain(*GOOD[dialect]):
        seen.feed(event)
    seen.broken(ConnectionResetError())
    assert (seen.done, seen.error) == (True, None)


@DIALECTS
def test_bytes_after_the_terminator_are_not_passed_on(dialect):
    before, content, after = GOOD[dialect]
    seen = watcher(dialect)
    out = b"".join(map(seen.feed, [*before, *content, *after]))
    late = b": late\n\n" + content[0] + b"event: error\ndata: {}\n\n{"
    assert seen.feed(late) + seen.eof() == b""
    assert len(out) > 0
    assert seen.error is None


@pytest.mark.parametrize("dialect", ["messages", "responses"])
def test_a_done_mark_passes_after_the_terminator_and_never_before(dialect):
    before, content, after = GOOD[dialect]
    mark = scripts.DONE
    seen, out = fed(dialect, *before, mark, *content, mark, *after, mark, mark)
    assert out.count(mark) == 1
    assert out.endswith(mark)
    assert seen.done


def test_a_chat_stream_that_only_lacks_its_done_mark_gets_one():
    seen, out = fed("chat", scripts.TEXT, scripts.STOP)
    assert out.endswith(b"\n\ndata: [DONE]\n\n")
    assert seen.done


def test_a_done_mark_does_not_make_up_for_a_missing_finish_reason():
    seen, out = fed("chat", scripts.TEXT, scripts.DONE)
    assert (seen.done, seen.error.kind) == (False, "interrupted")
    assert b"[DONE]" not in out


@pytest.mark.parametrize("exc", [ConnectionResetError(), TimeoutError()])
def test_a_chat_answer_is_whole_once_all_choices_have_finished_whatever_happens_then(exc):
    seen = watcher("chat")
    seen.feed(scripts.TEXT + scripts.STOP)
    assert seen.broken(exc) == scripts.DONE
    assert (seen.done, seen.error) == (True, None)


@DIALECTS
def test_a_connection_lost_amid_the_answer_is_a_failure_and_closes_nothing(dialect):
    before, content, _ = GOOD[dialect]
    seen = watcher(dialect)
    seen.feed(b"".join([*before, *content]))
    assert seen.broken(ConnectionResetError()) == b""
    assert (seen.done, seen.error.kind, seen.error.retryable) == (False, "interrupted", False)


def test_every_choice_of_several_has_to_finish():
    start = [chunk({"content": "a"}), chunk({"content": "b"}, index=1), chunk(finish="stop")]
    seen, _ = fed("chat", *start, scripts.DONE)
    assert not seen.done
    seen, _ = fed("chat", *start, chunk(finish="stop", index=1), scripts.DONE)
    assert seen.done


def test_message_stop_without_a_stop_reason_is_no_end():
    silent = named({"type": "message_delta", "delta": {"stop_reason": None}})
    seen, out = fed("messages", scripts.START, scripts.DELTA, silent, scripts.MESSAGE_STOP)
    assert (seen.done, seen.error.kind) == (False, "interrupted")
    assert b"message_stop" not in out


@pytest.mark.parametrize(
    ("dialect", "end", "finish"),
    [
        ("chat", [chunk(finish="length"), scripts.DONE], "length"),
        (
            "messages",
            [
                named({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}),
                scripts.MESSAGE_STOP,
            ],
            "max_tokens",
        ),
        (
            "responses",
            [
                named(
                    {
                        "type": "response.incomplete",
                        "response": response(
                            "incomplete", incomplete_details={"reason": "max_output_tokens"}
                        ),
                    }
                )
            ],
            "max_output_tokens",
        ),
    ],
)
def test_an_answer_cut_by_its_length_cap_is_complete(dialect, end, finish):
    before, content, _ = GOOD[dialect]
    seen, _ = fed(dialect, *before, *content, *end)
    assert (seen.done, seen.finish, seen.error) == (True, finish, None)


# --- failures inside a 200 ---------------------------------------------------------------------

ERRORS = [
    ("chat", chat({"error": {"message": "Boom.", "code": 502}})),
    ("chat", chat({"id": "c", "error": {"message": "Boom."}, "choices": [{"index": 0}]})),
    ("chat", b'event: error\ndata: {"error":{"message":"Boom.","status_code":400}}\n\n'),
    ("chat", b'event: error\ndata: {"message":"Boom."}\n\n'),
    ("chat", chunk({"content": ""}, finish="error")),
    ("chat", chat({"model": "upstream-1", "choices": [{"index": 0, "error": {"code": 500}}]})),
    ("chat", chat({"object": "error", "message": "Boom.", "code": 400})),
    ("messages", named({"type": "error", "error": {"type": "api_error", "message": "Boom."}})),
    ("messages", b'data: {"error":{"message":"Boom."}}\n\n'),
    ("messages", scripts.PING.replace(b"event: ping", b"event: error")),
    ("messages", scripts.PING.replace(b'"ping"', b'"error"')),
    ("responses", named({"type": "error", "error": {"code": "server_error"}})),
    ("responses", named({"type": "error", "code": "server_error", "message": "Boom."})),
    ("responses", named({"type": "response.failed", "response": response("failed")})),
    ("responses", named({"type": "response.completed", "response": response("failed")})),
    ("responses", b'data: {"error":{"message":"Boom."}}\n\n'),
    ("responses", scripts.ITEM.replace(b"event: response.output_item.added", b"event: error")),
    ("responses", scripts.ITEM.replace(b'"response.output_item.added"', b'"response.failed"')),
]
NOT_READABLE = [
    (dialect, event)
    for dialect in GOOD
    for event in (
        b"data: {broken\n\n",
        b'data: {"choices":[{"delta":{"content":"x\n\n',
        b"data: []\n\n",
        b"data: 17\n\n",
        b"data: <html>\n\n",
        b'data: {"x":"\xff"}\n\n',
        b'data: {"x":"' + b"x" * (1 << 20) + b'"}\n\n',
        b'data: {"choices":' + b"[" * 100_000 + b"\n\n",
    )
]


@pytest.mark.parametrize(("dialect", "event"), ERRORS + NOT_READABLE)
@pytest.mark.parametrize("committed", [False, True])
def test_a_failure_inside_a_stream_is_told_and_its_bytes_go_nowhere(dialect, event, committed):
    before, content, after = GOOD[dialect]
    good = [*before, *(content if committed else [])]
    reference = b"".join(map(watcher(dialect).feed, good))
    for pieces in ([*good, event, *after], [b"".join([*good, event, *after])]):
        seen, out = fed(dialect, *pieces)
        assert out == reference
        assert not seen.done
        assert seen.error.retryable is not committed
        if committed:
            assert seen.error.kind == "interrupted"


@pytest.mark.parametrize(
    ("dialect", "error", "kind", "status"),
    [
        ("messages", {"type": "overloaded_error", "message": "Overloaded"}, "overloaded", 503),
        ("messages", {"type": "rate_limit_error", "message": "Slow"}, "rate-limited", 429),
        ("messages", {"type": "invalid_request_error", "message": "Bad"}, "client", 400),
        ("chat", {"code": 429, "message": "Slow"}, "rate-limited", 429),
        ("chat", {"code": "context_length_exceeded", "message": "Too long"}, "context", 400),
        ("responses", {"code": "server_error", "message": "Boom"}, "server", 500),
        ("responses", {"code": "insufficient_quota", "message": "Pay"}, "auth", 502),
    ],
)
def test_an_error_before_content_means_what_it_says(dialect, error, kind, status):
    document = {"error": error} if dialect == "chat" else {"type": "error", "error": error}
    event = chat(document) if dialect == "chat" else named(document)
    seen, out = fed(dialect, *GOOD[dialect][0], event)
    assert (out, seen.error.kind, seen.error.status) == (b"", kind, status)
    assert seen.error.retryable is (kind != "context")


def test_an_event_with_a_name_and_no_data_is_dropped_for_it_could_look_like_an_end():
    seen, out = fed("messages", scripts.START, scripts.DELTA, b"event: message_stop\n")
    assert (seen.done, b"message_stop" in out) == (False, False)


# --- the model name ----------------------------------------------------------------------------


def test_a_model_name_inside_the_text_stays():
    tricky = chunk({"content": '"model": "upstream-1"'})
    _, out = fed("chat", scripts.TEXT, tricky, tricky, scripts.STOP, scripts.DONE)
    told = [document["choices"][0]["delta"] for document in documents(out)]
    assert told[1] == {"content": '"model": "upstream-1"'}


@pytest.mark.parametrize("asked", ["coder", "1-upstream"])
def test_a_nested_model_name_stays_and_the_outer_one_is_replaced_in_every_chunk(asked):
    nested = chunk({"content": "x", "from": {"model": "upstream-1"}})
    seen = module("chat").Watcher(asked)
    pieces = [scripts.TEXT, nested + nested, scripts.STOP, scripts.DONE]
    out = b"".join(map(seen.feed, pieces))
    assert [document["model"] for document in documents(out)] == [asked] * 4
    assert out.count(b'"model": "upstream-1"') == 2


def test_a_model_name_that_changes_within_the_stream_is_replaced_too():
    other = scripts.TEXT.replace(b"upstream-1", b"upstream-22")
    _, out = fed("chat", scripts.TEXT, scripts.TEXT + other, other, scripts.STOP, scripts.DONE)
    assert {document["model"] for document in documents(out)} == {"coder"}


def test_a_model_name_on_a_data_line_of_its_own_is_replaced():
    split = b'data: {"choices":[{"index":0,"delta":{"content":"x"}}],\ndata: "model":"upstream-1"}'
    _, out = fed("chat", split + b"\n\n", scripts.STOP, scripts.DONE)
    assert b"upstream-1" not in out
    assert next(documents(out))["choices"][0]["delta"] == {"content": "x"}


@pytest.mark.parametrize("asked", ['with "quotes"', "gruppe-ü", "a\\b"])
def test_any_name_a_caller_asks_for_is_written_as_json(asked):
    seen = module("chat").Watcher(asked)
    out = b"".join(map(seen.feed, [scripts.TEXT, scripts.TEXT, scripts.STOP, scripts.DONE]))
    assert {document["model"] for document in documents(out)} == {asked}


def test_a_name_of_the_same_length_as_the_upstreams_is_replaced_alike():
    seen = module("chat").Watcher("1-upstream")
    out = b"".join(map(seen.feed, [scripts.TEXT, scripts.TEXT * 2, scripts.STOP, scripts.DONE]))
    assert {document["model"] for document in documents(out)} == {"1-upstream"}


# --- signs of life and the head start ----------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "start"), [("chat", b": "), ("messages", b'event: ping\ndata: {"type":"ping"}\n\n')]
)
def test_a_keep_alive_names_nothing_the_answer_would_have_to_keep(dialect, start):
    seen = watcher(dialect)
    assert seen.opening().startswith(start)
    assert seen.ping().startswith(start)
    before, content, after = GOOD[dialect]
    out = b"".join(map(seen.feed, [*before, *content, *after]))
    assert len(list(documents(out))) == len([*before, *content, *after]) - (dialect == "chat")


def test_a_fallback_continues_the_response_its_predecessor_opened():
    first = watcher("responses")
    opened = [*documents(first.opening()), *documents(first.ping())]
    second = watcher("responses", rewrite_id=lambda upstream: f"resp_tag.{upstream}")
    second.adopt(first)
    events = list(chain(*GOOD["responses"]))
    rest = list(documents(second.ping() + b"".join(map(second.feed, events)) + second.eof()))
    assert [event["sequence_number"] for event in opened + rest] == [0, 1, 2, 3, 4, 5]
    known = opened[0]["response"]
    assert (known["model"], known["status"], known["output"]) == ("coder", "in_progress", [])
    assert {e["response"]["id"] for e in opened + rest if "response" in e} == {known["id"]}


def test_a_sign_of_life_amid_a_response_takes_a_number_and_the_rest_move_up():
    seen = watcher("responses")
    out = b"".join(map(seen.feed, [scripts.CREATED, scripts.ITEM, scripts.TEXT_DELTA]))
    out += seen.ping() + seen.feed(scripts.COMPLETED) + seen.eof()
    events = list(documents(out))
    assert [event["sequence_number"] for event in events] == [0, 1, 2, 3, 4]
    assert events[3]["type"] == "response.in_progress"
    assert {e["response"]["id"] for e in events if "response" in e} == {"resp_up"}


def test_an_upstream_that_numbers_nothing_is_not_numbered():
    bare = list(documents(b"".join(chain(*GOOD["responses"]))))
    for document in bare:
        del document["sequence_number"]
    _, out = fed("responses", *map(named, bare))
    assert all("sequence_number" not in document for document in documents(out))


# --- answers in one piece ----------------------------------------------------------------------

WHOLE = {
    "chat": {"model": "up", "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]},
    "messages": {"type": "message", "model": "up", "content": [{"type": "text", "text": "x"}]},
    "responses": response("completed", output=[{"type": "message"}]),
}


@DIALECTS
def test_blank_lines_before_an_answer_are_keep_alives_and_stay(dialect):
    body = b"\n         \n\n" + json.dumps(WHOLE[dialect]).encode()
    whole = module(dialect).whole(body, "coder")
    assert whole.body.startswith(b"\n         \n\n{")
    assert json.loads(whole.body) == {**WHOLE[dialect], "model": "coder"}


BAD_BODIES = [
    b"",
    b"  \n",
    b"null",
    b"[]",
    b"{}",
    b'"text"',
    b"<html></html>",
    b"data: [DONE]\n\n",
    b'{"detail":"Not Found"}',
    b'{"error":"boom"}',
    b'{"type":"error","error":{"type":"api_error","message":"x"}}',
    b'{"choices":[],"model":"x"}',
    b'{"choices":null}',
    b'{"choices":[{"message":{"role":"assistant","content":""},"finish_reason":"stop"}]}',
    b'{"choices":[{"message":{"content":null},"finish_reason":"error"}]}',
    b'{"type":"message","content":[],"stop_reason":"end_turn"}',
    b'{"object":"response","status":"completed","output":[]}',
    b'{"object":"response","status":"failed","output":[],"error":{"code":"server_error"}}',
    b'{"output":[' * 50_000,
]


@DIALECTS
@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_what_is_no_answer_is_refused_and_another_target_may_be_tried(dialect, body):
    with pytest.raises(UpstreamError) as raised:
        module(dialect).whole(body, "coder")
    assert raised.value.retryable
    with pytest.raises(UpstreamError) as judged:
        module(dialect).usable(body)
    assert judged.value.code == raised.value.code


@DIALECTS
def test_what_a_decoder_is_to_read_of_a_whole_answer_is_what_came(dialect):
    body = json.dumps(WHOLE[dialect]).encode()
    assert module(dialect).usable(body) == body


@DIALECTS
def test_an_answer_cut_anywhere_is_refused(dialect):
    body = json.dumps(WHOLE[dialect]).encode()
    for end in range(len(body)):
        with pytest.raises(UpstreamError):
            module(dialect).whole(body[:end], "coder")


@DIALECTS
def test_bytes_that_are_no_utf8_make_no_answer(dialect):
    body = json.dumps(WHOLE[dialect] | {"extra": "?"}).encode().replace(b"?", b"\xff")
    with pytest.raises(UpstreamError):
        module(dialect).whole(body, "coder")


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("chat", {"choices": [{"finish_reason": "content_filter"}]}),
        ("chat", {"choices": [{"message": {"content": ""}, "finish_reason": "length"}]}),
        ("chat", {"choices": [{"message": {"content": None, "refusal": "no"}}]}),
        ("messages", {"type": "message", "content": [], "stop_reason": "refusal"}),
        ("messages", {"type": "message", "content": [], "stop_reason": "max_tokens"}),
        ("responses", response("queued", output=[])),
        ("responses", response("incomplete", output=[])),
    ],
)
def test_an_answer_that_says_why_it_is_empty_is_one(dialect, body):
    assert module(dialect).whole(json.dumps(body).encode(), "coder").body


def test_a_stateful_answer_in_one_piece_has_our_ids():
    body = json.dumps(response("completed", output=[{"id": "x"}], previous_response_id="resp_a"))
    told = module("responses").whole(body.encode(), "coder", lambda upstream: f"ours.{upstream}")
    document = json.loads(told.body)
    assert (document["id"], document["previous_response_id"]) == ("ours.resp_up", "ours.resp_a")
    assert document["output"] == [{"id": "x"}]


@pytest.mark.parametrize(
    ("streaming", "content_type", "matches"),
    [
        (True, "text/event-stream", True),
        (True, "Text/Event-Stream; charset=utf-8", True),
        (True, "application/json", False),
        (True, "text/html", False),
        (True, None, True),
        (False, "application/json; charset=utf-8", True),
        (False, "application/problem+json", True),
        (False, "text/event-stream", False),
        (False, "text/html", False),
        (False, "", True),
    ],
)
def test_an_answer_has_to_come_in_the_form_that_was_asked_for(streaming, content_type, matches):
    assert content_matches(streaming=streaming, content_type=content_type) is matches


# --- the usual event ---------------------------------------------------------------------------

DELTAS = {
    "chat": lambda text: chunk({"content": text}),
    "messages": lambda text: named(
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": text},
        }
    ),
    "responses": lambda text: named(
        {
            "type": "response.output_text.delta",
            "sequence_number": 90 + len(text),
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "delta": text,
            "obfuscation": "x" * len(text),
        }
    ),
}
TEXTS = [
    "a",
    "",
    "b c",
    '"quoted"',
    "a\\",
    "line\n",
    "\u00e9\u2028",
    "\x01",
    "upstream-1",
    "[DONE]",
]


@pytest.mark.parametrize("dialect", list(DELTAS))
def test_an_event_that_is_like_the_last_one_passes_as_all_others_do(dialect):
    before, content, _ = GOOD[dialect]
    alone = []
    for text in TEXTS:
        fresh = watcher(dialect)
        for event in [*before, content[0]]:
            fresh.feed(event)
        alone.append(fresh.feed(DELTAS[dialect](text)))
    many = watcher(dialect)
    for event in [*before, content[0]]:
        many.feed(event)
    assert [many.feed(DELTAS[dialect](text)) for text in TEXTS] == alone
    assert all(alone)
    assert many.error is None
    assert many.next_number == fresh.next_number


@pytest.mark.parametrize(
    "event",
    [
        chunk({"content": "x"}, finish="stop"),
        chunk({"content": "x"}, usage={"prompt_tokens": 7}),
        chunk({"content": "x"}, error={"message": "no"}),
        chunk({"content": "x"}, index=1),
        chunk({"content": "x"}).replace(
            b'"x"',
            b'"x"}, "finish_reason": "stop"}, {"index": 0, "delta": {"content": "x"',
        ),
    ],
)
def test_an_event_that_says_more_than_the_usual_one_is_read(event):
    told = []
    for usual in (1, 3):  # the third is one like the second
        seen = watcher("chat")
        for each in (*GOOD["chat"][0], *[chunk({"content": "x"})] * usual, event):
            seen.feed(each)
        said = (seen.finish, seen.usage, seen.error and seen.error.code)
        seen.feed(scripts.STOP)
        told.append((*said, seen.eof()))
    assert told[0] == told[1]
    assert told[0] != (None, None, None, scripts.DONE)


def test_the_usual_event_does_not_pass_behind_the_end_or_inside_another_event():
    usual = chunk({"content": "x"})
    seen = watcher("chat")
    for event in (*GOOD["chat"][0], *[usual] * 3):
        seen.feed(event)
    assert seen.feed(b"data: {") == b""
    seen.feed(usual)
    assert seen.error is not None
    seen, _ = fed("chat", *GOOD["chat"][0], *[usual] * 3, scripts.STOP, scripts.DONE)
    assert seen.done
    assert seen.feed(usual) == b""


NUMBERED_FROM = 7


def numbered(count):
    """Usual events that follow each other."""
    kind = "response.output_text.delta"
    return [
        named({"type": kind, "sequence_number": NUMBERED_FROM + n, "delta": f"word {n}"})
        for n in range(count)
    ]


def flowing(count):
    """A watcher that has let so many of them pass."""
    seen = watcher("responses")
    for event in (*GOOD["responses"][0], *numbered(count)):
        seen.feed(event)
    return seen


@pytest.mark.parametrize("count", [1, 2, 3, 8, 40])
def test_a_sign_of_life_goes_on_from_the_number_of_the_last_usual_event(count):
    seen = flowing(count)
    (sign,) = documents(seen.ping())
    assert sign["sequence_number"] == NUMBERED_FROM + count
    after = numbered(count + 2)[count:]
    rest = list(documents(b"".join(map(seen.feed, [*after, scripts.COMPLETED]))))
    assert [event["sequence_number"] for event in rest] == [
        NUMBERED_FROM + count + 1 + n for n in range(3)
    ]


def test_the_number_of_the_last_event_counts_however_it_passed():
    seen = flowing(4)
    *_, first, second, third = numbered(7)
    seen.feed(first + second)
    seen.feed(third[:9])
    assert seen.next_number == NUMBERED_FROM + 6
    seen.feed(third[9:])
    assert seen.next_number == NUMBERED_FROM + 7


@pytest.mark.parametrize("dialect", list(GOOD))
def test_no_usual_event_passes_behind_the_end_or_a_failure(dialect):
    before, content, after = GOOD[dialect]
    failure = (
        chat({"error": {"message": "no"}})
        if dialect == "chat"
        else named({"type": "error", "error": {"message": "no"}})
    )
    for last in (after, [failure]):
        seen = watcher(dialect)
        for event in (*before, *content * 4, *last):
            seen.feed(event)
        assert seen.done is (last is after)
        assert (seen.error is None) is (last is after)
        assert seen.feed(content[0]) == b""


def test_half_an_event_takes_no_number():
    *_, event = numbered(4)
    for cut in range(1, len(event)):
        seen, lost = flowing(3), flowing(3)
        assert seen.feed(event[:cut]) == lost.feed(event[:cut]) == b""
        assert lost.broken(ConnectionError()) == b""
        assert seen.next_number == lost.face.next_number == NUMBERED_FROM + 3
        assert seen.feed(event[cut:]) == event
        assert seen.next_number == NUMBERED_FROM + 4


def test_an_event_whose_text_is_in_a_member_that_is_taken_out_is_no_usual_one():
    seen = watcher("chat", hide_usage=True)
    seen.feed(chunk({"content": "x"}, usage=None))
    for text in (b"a", b"b", b"c"):
        event = chunk({"role": "assistant"}).replace(
            b'"id"', b'"usage":{"content":"%b"},"usage":null,"id"' % text
        )
        assert seen.feed(event) == event.replace(b"upstream-1", b"coder").replace(
            b'"usage":{"content":"%b"},' % text, b""
        )
    assert seen.error is None
