"""An upstream's message reaches a caller without addresses and credentials, else word for word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import redaction

SECRETS = {
    "url": "https://user:pw@api.internal.example.com:8443/v1/x?key=1",
    "http url": "http://10.0.0.5:8000/v1",
    "bearer": "Bearer abcdef0123456789",
    "openai key": "sk-proj-abc123DEF456ghi789",
    "masked key": "sk-ab***********xyz9",
    "router token": "rtr_acme_ann_core_prod_k1_ABCDEFGHIJKLMNOPQRSTUVWXYZ0",
    "google key": "AIzaSyA1234567890abcdefghijklmnop",
    "aws key": "AKIAABCDEFGHIJKLMNOP",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
    "named": "api_key=hunter2hunter2",
    "header": "x-api-key: hunter2hunter2",
    "address": "192.168.1.10:9000",
    "ipv6": "[fd00:1:2:3:4:5:6:7]:8000",
    "host": "vllm-7.prod.svc.cluster.local:8000/v1",
    "local host": "localhost:11434",
    "bare host": "upstream-1:8000",
    "e-mail": "ann@example.com",
    "organisation": "org-AbCdEf123456",
    "hash": "96164522-08b2-4cbf-886e-e5a38961a688",
    "data url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA",
}
KEPT = [
    "prompt is too long: 210000 tokens > 200000 maximum",
    "messages.0: Input does not match the expected shape.",
    "messages.1.content.0.tool_use.id: Field required",
    "Unsupported parameter: 'stop' is not supported with this model.",
    "adaptive thinking is not supported on this model",
    "max_tokens: 64000 > 32000, which is the maximum allowed number of output tokens",
    "Invalid 'messages[0].content': string too long, e.g. 5 at 12:30:45.",
    "tools.0.custom.input_schema: JSON schema is invalid (toolu_01A09q90qw90lq917835lq9)",
    "This model's maximum context length is 8192 tokens. However, your messages use 9000.",
]


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_message_from_upstream_loses_what_is_nobodys_business(secret):
    told = redaction.redact(f"Cannot use {secret} for this, sorry.")
    assert told.startswith("Cannot use ")
    assert told.endswith("for this, sorry.")
    assert secret not in told
    assert secret[-8:] not in told


@pytest.mark.parametrize("message", KEPT)
def test_a_message_clients_act_on_stays_word_for_word(message):
    assert redaction.redact(message) == message


def test_a_message_is_one_short_line():
    told = redaction.redact("line\nbreak\x1b[31m\u2028\x00end " + "word " * 500)
    assert told.startswith("line break [31m end word")
    assert len(told) <= redaction.MAX_MESSAGE


@given(st.text())
def test_no_message_raises_or_grows_without_bound(text):
    told = redaction.redact(text)
    assert len(told) <= redaction.MAX_MESSAGE
    assert "\n" not in told


@pytest.mark.parametrize("cut", range(1190, 1215))
def test_a_secret_at_the_place_where_a_long_message_is_cut_does_not_survive_in_part(cut):
    told = redaction.redact(
        "https://example.com/"
        + "x" * 900
        + " "
        + "y " * ((cut - 920) // 2)
        + "sk-proj-abc123DEF456ghi789"
    )
    assert "sk-" not in told
