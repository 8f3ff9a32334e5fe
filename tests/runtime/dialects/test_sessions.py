"""Which conversation a request belongs to."""

import json

import pytest

from tests.runtime.dialects.bodies import body_of, read

ORDER = ["x_claude_code_session_id", "thread_id", "x_session_id", "x_session_affinity"]
USER_ID = json.dumps({"device_id": "d", "account_uuid": "", "session_id": "from-user-id"})


@pytest.mark.parametrize("position", range(len(ORDER)))
def test_headers_come_first_and_in_order(position):
    headers = {name: f"from-{name}" for name in ORDER[position:]}
    body = body_of("responses", prompt_cache_key="from-body")

    assert read("responses", body, **headers).session == f"from-{ORDER[position]}"


def test_the_cache_key_comes_next():
    assert read("responses", body_of("responses", prompt_cache_key="k")).session == "k"
    assert read("chat", body_of("chat", prompt_cache_key="k")).session == "k"


@pytest.mark.parametrize(
    ("user_id", "session"),
    [
        (USER_ID, "from-user-id"),
        ("user_abc_account__session_1234", "1234"),
    ],
)
def test_claude_code_hides_the_session_in_its_user_id(user_id, session):
    assert read("messages", body_of("messages", metadata={"user_id": user_id})).session == session


@pytest.mark.parametrize("user_id", ["plain", "{", "{}", '{"session_id": 1}', "{" * 5000, ""])
def test_a_user_id_without_a_session_is_no_key(user_id):
    with_id = read("messages", body_of("messages", metadata={"user_id": user_id})).session

    assert with_id == read("messages", body_of("messages")).session


def turns(dialect, *texts, system="You are X."):
    made = [
        {"role": "assistant" if number % 2 else "user", "content": text}
        for number, text in enumerate(texts)
    ]
    if dialect == "chat":
        return body_of("chat", messages=[{"role": "system", "content": system}, *made])
    if dialect == "messages":
        return body_of("messages", system=system, messages=made)
    return body_of("responses", instructions=system, input=made)


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages"])
def test_else_a_conversation_is_known_by_how_it_opens(dialect):
    first = read(dialect, turns(dialect, "fix it")).session

    assert first is not None
    assert first == read(dialect, turns(dialect, "fix it", "done", "and now?")).session
    assert first != read(dialect, turns(dialect, "break it")).session
    assert first != read(dialect, turns(dialect, "fix it", system="You are Y.")).session


def test_moving_cache_marks_do_not_change_the_session():
    text = {"type": "text", "text": "fix it"}
    marked = {**text, "cache_control": {"type": "ephemeral"}}
    first, later = (
        body_of("messages", messages=[{"role": "user", "content": [block]}])
        for block in (marked, text)
    )

    assert read("messages", first).session == read("messages", later).session


def test_a_conversation_without_text_has_no_key():
    assert read("chat", body_of("chat", messages=[{"role": "user", "content": []}])).session is None
