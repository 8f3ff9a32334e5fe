"""Token counts are read wherever a provider puts them, and never added up."""

import pytest

from runtime.usage import Meter, Usage
from tests.runtime.answers.recordings import FOLDER, Recording, dialect, watcher

OPENAI = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def read(*parts, messages=False):
    meter = Meter()
    for part in parts:
        (meter.read_messages if messages else meter.read_openai)(part)
    return meter.usage()


@pytest.mark.parametrize(
    ("more", "cached", "cache_write", "reasoning"),
    [
        ({}, None, None, None),
        ({"prompt_tokens_details": {"cached_tokens": 4}}, 4, None, None),
        ({"prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2}}, 4, 2, None),
        ({"prompt_tokens_details": None, "prompt_cache_hit_tokens": 4}, 4, None, None),
        ({"cached_tokens": 4}, 4, None, None),
        ({"cache_read_input_tokens": 4, "cache_creation_input_tokens": 2}, 4, 2, None),
        ({"completion_tokens_details": {"reasoning_tokens": 3}}, None, None, 3),
        ({"completion_tokens_details": None}, None, None, None),
    ],
)
def test_chat_providers_name_cached_and_reasoning_tokens_in_many_places(
    more, cached, cache_write, reasoning
):
    assert read(OPENAI | more) == Usage(10, 5, cached, cache_write, reasoning)


def test_responses_counts_have_names_of_their_own():
    usage = {
        "input_tokens": 10,
        "output_tokens": 5,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
        "output_tokens_details": {"reasoning_tokens": 3},
    }
    assert read(usage) == Usage(10, 5, 4, 1, 3)


@pytest.mark.parametrize(
    "more",
    [
        {"prompt_tokens_details": {"image_tokens": 6}},
        {"input_tokens_details": {"image_tokens": 6}},
        # images that the model made are no images it was shown
        {
            "prompt_tokens_details": {"image_tokens": 6},
            "completion_tokens_details": {"image_tokens": 3},
        },
    ],
)
def test_image_tokens_of_the_prompt_are_told_apart(more):
    assert read(OPENAI | more) == Usage(10, 5, image=6)


@pytest.mark.parametrize("messages", [False, True])
@pytest.mark.parametrize(
    ("more", "usd"),
    [
        ({"cost": 0.0125}, 0.0125),
        ({"cost": 1}, 1.0),
        ({"cost": 0}, 0.0),
        ({"cost": {"input_tokens_cost": 0.5, "request_cost": 1.0, "total_cost": 1.5}}, 1.5),
        ({"cost_in_usd_ticks": 1_615_400}, 0.00016154),
        ({"cost": None}, None),
        ({"cost": "0.5"}, None),
        ({"cost": -1}, None),
        ({"cost": True}, None),
        ({"cost": 10**400}, None),
        ({"cost_in_usd_ticks": 10**400}, None),
    ],
)
def test_the_cost_by_the_upstreams_own_account_is_kept_in_dollars(more, usd, messages):
    counted = {"input_tokens": 10, "output_tokens": 5}
    assert read(counted | more, messages=messages) == Usage(10, 5, reported=usd)


def test_an_upstream_may_tell_the_cost_and_no_tokens():
    assert read({"cost": 0.5}) == Usage(reported=0.5)


def test_what_no_store_could_hold_is_no_count():
    assert read(OPENAI | {"prompt_tokens": 2**53 + 1}) == Usage(None, 5)
    assert read(OPENAI | {"prompt_tokens": 10**400}) == Usage(None, 5)


def test_messages_input_counts_leave_cached_tokens_out_so_they_are_put_together():
    usage = {"input_tokens": 10, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2}
    assert read(usage | {"output_tokens": 5}, messages=True) == Usage(16, 5, 4, 2, None)


def test_the_last_counts_hold_and_nothing_is_added_up():
    start = {"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 1}
    assert read(start, {"output_tokens": 7}, messages=True) == Usage(14, 7, 4, None, None)
    assert read(OPENAI, OPENAI, OPENAI) == Usage(10, 5)


def test_a_chunk_that_says_null_takes_nothing_back():
    assert read(OPENAI, {"prompt_tokens": 10, "completion_tokens": None}) == Usage(10, 5)


def test_reasoning_counted_outside_the_completion_is_part_of_the_output():
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 22,
        "completion_tokens_details": {"reasoning_tokens": 7},
    }
    assert read(usage) == Usage(10, 12, None, None, 7)
    assert read(usage | {"total_tokens": 15}) == Usage(10, 5, None, None, 7)


@pytest.mark.parametrize(
    "junk", [None, [], "x", 7, {}, {"prompt_tokens": "10"}, {"prompt_tokens": -1}, {"x": True}]
)
def test_what_is_no_count_is_passed_over(junk):
    assert read(junk) is None


@pytest.mark.parametrize(
    ("file", "usage"),
    [
        ("chat/deepseek__tool-call__1.sse", Usage(495, 65, 384, None, None)),
        ("chat/together__text__1.sse", Usage(41, 15, 0)),
        ("chat/groq__tool-call-reasoning__1.sse", Usage(304, 49, None, None, 23)),
        ("chat/databricks__image__1.sse", Usage(22, 37, 0, 0)),
        ("chat/avian__tool-call-reasoning__1.sse", Usage(76, 47, 64, 0, 34, reported=0.0001232)),
        ("chat/xai__tool-call__1.sse", Usage(401, 301, 400, None, 257, 0, 0.0001707)),
        ("chat/perplexity__web-search__1.sse", Usage(8, 5, reported=0.00501)),
        ("chat/azure__text__1.sse", None),
        ("messages/anthropic__file__4.sse", Usage(1639, 4, 1636, 0)),
        ("messages/anthropic__tool-result__4.sse", Usage(707, 89, 0, 0, 0)),
        ("messages/anthropic__duplicate-start__1.sse", Usage(17, 227)),
        (
            "responses/xai__tool-call-encrypted-reasoning__2.sse",
            Usage(595, 106, 384, None, 84, reported=0.00060555),
        ),
        ("responses/openrouter__image__1.sse", Usage(101, 4, 0, None, 0, reported=0.0000468)),
    ],
)
def test_a_recorded_stream_is_counted_once(file, usage):
    recording = Recording(file, file.partition("/")[0], 200, True, None)
    seen = watcher(recording)
    seen.feed(recording.body)
    seen.eof()
    assert seen.usage == usage


@pytest.mark.parametrize(
    ("file", "usage"),
    [
        ("chat/xai__tool-result-reasoning__1.json", Usage(526, 99, 512, None, 72, 0, 0.00016154)),
        ("messages/anthropic__cache__2.json", Usage(12, 21, 2, 1)),
    ],
)
def test_a_recorded_answer_in_one_piece_is_counted_too(file, usage):
    recording = Recording(file, file.partition("/")[0], 200, False, None)
    assert (FOLDER / file).exists()
    assert dialect(recording).whole(recording.body, "coder").usage == usage
