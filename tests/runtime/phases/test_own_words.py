"""What counts as the caller's own words: what clients put into user turns does not."""

import json

import pytest

from runtime.dialects import DIALECTS
from runtime.phases import SEEN, said
from runtime.vocabulary import Settings
from tests.runtime.dialects.captures import captures

SETTINGS = Settings(name="test")
REMINDER = "<system-reminder>\nPlan the work with the todo tool.\n</system-reminder>"
DETAILS = "<environment_details>\n# Files\nplan.md\n</environment_details>"


def words(*texts):
    found = said(texts)
    return found and found.text


@pytest.mark.parametrize(
    ("texts", "own"),
    [
        (("Fix it.",), "Fix it."),
        (("Fix it.", "Then test it."), "Fix it.\nThen test it."),
        ((REMINDER, "Fix it."), "Fix it."),
        ((f"{REMINDER}\nFix it.\n{REMINDER}",), "Fix it."),
        (("<task>\nFix it.\n</task>", DETAILS), "<task>\nFix it.\n</task>"),
        ((REMINDER,), None),
        ((REMINDER, DETAILS, " \n"), None),
        ((), None),
        (('<image name=[Image #1] path="/home/me/plan/crash.png">', "</image>", "What?"), "What?"),
        (("<system-reminder attribute>x</system-reminder>Go",), "Go"),
        (("What does <system-reminder> do?",), "What does <system-reminder> do?"),
        (("<system-reminders>a</system-reminders>",), "<system-reminders>a</system-reminders>"),
        (("List<image> </list>",), "List<image> </list>"),
        (("<div>\nplan\n</div>",), "<div>\nplan\n</div>"),
        (("Add it\n\n# *SEARCH/REPLACE block* Rules:\n\nTo rename files, ...",), "Add it"),
        (("Add it\n\nTo suggest changes to a file you MUST return the entire file",), "Add it"),
    ],
)
def test_only_what_the_caller_wrote_is_heard(texts, own):
    assert words(*texts) == own


def test_patterns_see_the_end_of_a_long_text():
    found = said(["plan " + "x" * SEEN])
    assert (found.text, found.chars) == ("x" * SEEN, SEEN + 5)


def test_the_end_of_a_text_is_heard_however_long_it_is():
    found = said(["plan " * 200_000 + REMINDER + "Fix it."])
    assert found.text.endswith("plan Fix it.")
    assert found.chars > SEEN


# --- in bodies ---------------------------------------------------------------------------------

CALL = {"type": "function", "id": "c", "function": {"name": "run", "arguments": "{}"}}
USE = {"type": "tool_use", "id": "c", "name": "run", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "c", "content": "Design a plan!"}


def user(content):
    return {"role": "user", "content": content}


def text(value, kind="text"):
    return {"type": kind, "text": value}


CONVERSATIONS = {
    "chat": (
        [user("Fix it.")],
        [user([text(REMINDER), text("Fix it.")])],
        [user("Plan it."), {"role": "assistant", "content": "ok"}, user("Fix it.")],
        [
            {"role": "system", "content": "plan"},
            user("Fix it."),
            {"role": "system", "content": "x"},
        ],
    ),
    "messages": (
        [user("Fix it.")],
        [user([text(REMINDER), text("Fix it.")])],
        [user("Plan it."), {"role": "assistant", "content": "ok"}, user("Fix it.")],
        [user("Fix it."), {"role": "system", "content": "Plan."}],
        [user("Plan."), {"role": "assistant", "content": [USE]}, user([RESULT, text("Fix it.")])],
    ),
    "responses": (
        "Fix it.",
        [user([text("Fix it.", "input_text")])],
        [{"type": "message", **user("Fix it.")}, {"type": "reasoning", "summary": []}],
        [user("Fix it."), {"role": "developer", "content": "plan"}],
        [user("<environment_context>plan</environment_context>"), user("Fix it.")],
        [user("Fix it."), user("<environment_context>plan</environment_context>")],
    ),
}
LOOPS = {
    "chat": (
        [
            user("Fix it."),
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c", "content": "Design a plan!"},
        ],
        [
            user("Fix it."),
            {"role": "tool", "tool_call_id": "c", "content": "plan"},
            user(REMINDER),
        ],
    ),
    "messages": (
        [user("Fix it."), {"role": "assistant", "content": [USE]}, user([RESULT])],
        [user("Fix it."), {"role": "assistant", "content": [USE]}, user([RESULT, text(REMINDER)])],
    ),
    "responses": tuple(
        [user("Fix it."), {"type": f"{kind}_call"}, {"type": f"{kind}_call_output", "output": "p"}]
        for kind in ("function", "custom_tool", "local_shell", "computer")
    ),
}


def read(dialect, turns, path=None):
    body = {"input" if dialect == "responses" else "messages": turns, "max_tokens": 5}
    return DIALECTS[path or dialect].read(json.dumps(body).encode(), {}, SETTINGS)


@pytest.mark.parametrize(
    ("dialect", "turns"), [(name, turns) for name, all_ in CONVERSATIONS.items() for turns in all_]
)
def test_the_last_user_turn_with_own_words_counts(dialect, turns):
    assert read(dialect, turns).said == ("Fix it.", 7, False)


@pytest.mark.parametrize(
    ("dialect", "turns"), [(name, turns) for name, all_ in LOOPS.items() for turns in all_]
)
def test_while_tools_work_the_request_is_still_about_the_same_words(dialect, turns):
    assert read(dialect, turns).said == ("Fix it.", 7, True)


@pytest.mark.parametrize("path", DIALECTS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_body_in_another_dialect_than_its_path_says_the_same(dialect, path):
    reading = read(dialect, LOOPS[dialect][0], path)
    assert reading.dialect == dialect
    assert reading.said == ("Fix it.", 7, True)


def test_a_continuation_that_brings_results_alone_says_nothing():
    turns = [{"type": "function_call_output", "call_id": "c", "output": "plan"}]
    assert read("responses", turns).said == ("", 0, True)


# --- in what real clients sent -----------------------------------------------------------------

CUT = "<system-reminder>", "<environment_context>"


def closed(value):
    """The recordings cut long texts, and with them the end of what a client had put in."""
    if isinstance(value, dict):
        return {key: closed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [closed(inner) for inner in value]
    for opening in CUT:
        closing = opening.replace("<", "</")
        if isinstance(value, str) and value.startswith(opening) and closing not in value:
            return value + closing
    return value


QUOTED = '"Create hello.txt with the greeting"'
HEARD = {
    "claude-code/text.03.post.v1-messages": ("Say hello.", False),
    "claude-code/tool_bare.03.post.v1-messages": ("Create hello.txt", False),
    "claude-code/tool_bare.04.post.v1-messages": ("Create hello.txt", True),
    "claude-code/tool_bare.05.post.v1-messages": ("Create hello.txt", True),
    "claude-code/tool_parallel.03.post.v1-messages": ("two", True),
    "claude-code/model_1m_suffix.02.post.v1-messages": ("hi", False),
    "claude-code/image_stream_json.03.post.v1-messages": ("what is this", False),
    "claude-code/image_read_tool.03.post.v1-messages": ("look", True),
    "claude-code/subagent.03.post.v1-messages": ("say hi", False),
    "claude-code/subagent.04.post.v1-messages": ("agent", True),
    "codex/effort_high.02.post.v1-responses": ("hi", False),
    "codex/image.02.post.v1-responses": ("What is this?", False),
    "codex/resume_second_turn.02.post.v1-responses": ("What number?", False),
    "codex/tool_apply_patch.02.post.v1-responses": ("Create hello.txt", False),
    "codex/tool_apply_patch.03.post.v1-responses": ("Create hello.txt", True),
    "codex/tool_exec_command.03.post.v1-responses": ("Create hello.txt", True),
    "codex/tool_namespace.05.post.v1-responses": ("ns", True),
    "codex/tool_mcp.04.post.v1-responses": ("use mcp", True),
    "opencode/chat_tool_create_file.01": (QUOTED, False),
    "opencode/chat_tool_create_file.03": (QUOTED, True),
    "opencode/messages_tool_create_file_thinking.03": (QUOTED, True),
    "opencode/responses_tool_create_file.03": (QUOTED, True),
    "aider/architect.01": ("Create hello.txt with the greeting", False),
    "aider/diff_edit.01": ("Create hello.txt with the greeting", False),
}
BY_NAME = {capture.name: capture for capture in captures()}


@pytest.mark.parametrize("name", HEARD)
def test_what_real_clients_put_in_is_not_heard(name):
    capture = BY_NAME[name]
    body = json.dumps(closed(json.loads(capture.body))).encode()
    heard = DIALECTS[capture.dialect].read(body, capture.headers, SETTINGS).said
    assert (heard.text, heard.after_tools) == HEARD[name]
