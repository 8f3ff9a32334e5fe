"""An overflow crosses a bridge in the words that clients of the caller's dialect compact on."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime import failures
from runtime.errors import UpstreamError
from runtime.passage import reword

FIXTURES = Path(__file__).parents[2] / "data" / "fixtures"
ESTIMATE, CONTEXT = 210_000, 200_000


def recorded(name: str) -> UpstreamError:
    body = (FIXTURES / f"{name}__error-400-context-length__1.json").read_bytes()
    return failures.from_response(400, {}, body)


@pytest.mark.parametrize(
    ("name", "asked", "maximum"),
    [
        ("chat/deepseek", 1_250_025, 1_048_565),
        ("chat/openrouter", 2_500_021, 200_000),
        # these do not tell both numbers
        ("chat/ollama-cloud", ESTIMATE, CONTEXT),
        ("chat/perplexity", ESTIMATE, CONTEXT),
        ("responses/openai", ESTIMATE, CONTEXT),
    ],
)
def test_recorded_overflows_are_told_to_claude_code_in_anthropics_words(name, asked, maximum):
    error = recorded(name)
    reword(error, "messages", ESTIMATE, CONTEXT)
    assert error.message == f"prompt is too long: {asked} tokens > {maximum} maximum"
    assert (error.code, error.status, error.param) == ("context_length_exceeded", 400, "messages")


def test_anthropics_overflow_is_told_to_codex_in_openais_words():
    body = b'{"type":"error","error":{"type":"invalid_request_error",' + (
        b'"message":"prompt is too long: 210001 tokens > 200001 maximum"}}'
    )
    error = failures.from_response(400, {}, body)
    reword(error, "responses", 5, 10)
    assert error.message.startswith("Your input exceeds the context window of this model.")
    assert "210001" in error.message
    assert "200001" in error.message
    assert error.param == "input"


@pytest.mark.parametrize(
    ("estimate", "context", "words"),
    [(150_000, 200_000, "200001 tokens > 200000 "), (150_000, None, "150000 tokens > 149999 ")],
)
def test_what_did_not_fit_is_always_more_than_what_does(estimate, context, words):
    error = recorded("chat/perplexity")
    reword(error, "messages", estimate, context)
    assert words in error.message


def test_the_words_of_other_errors_stay_as_they_are():
    error = failures.from_response(400, {}, b'{"error": {"message": "bad field of 5000 tokens"}}')
    reword(error, "messages", ESTIMATE, CONTEXT)
    assert error.message == "bad field of 5000 tokens"
