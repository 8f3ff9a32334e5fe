"""What every kept request of an agent becomes on every bridge, on record for the reviewer."""

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from runtime.errors import CallerError
from runtime.vocabulary import ALL_LEVELS, words
from tests.bridges.crossings import PAIRS, Case, cases, crossed, read
from tests.bridges.outline import outlined, whole

FAMILIES = sorted({(case.family, case.path) for case in cases()})
CELLS = [(family, path, up) for family, path in FAMILIES for caller, up in PAIRS if path == caller]


class _Text(SingleFileSnapshotExtension):
    file_extension = "txt"
    _write_mode = WriteMode.TEXT


@pytest.mark.parametrize(("family", "path", "upstream"), CELLS)
def test_what_goes_to_the_upstream(family, path, upstream, snapshot):
    seen, toolboxes = {}, {}
    pages = [
        _page(case, upstream, seen, toolboxes)
        for case in cases()
        if (case.family, case.path) == (family, path)
    ]
    assert "\n".join(pages) == snapshot(extension_class=_Text)


def _page(case: Case, upstream: str, seen: dict[str, str], toolboxes: dict[str, str]) -> str:
    """A case in short; one like an earlier case only names it."""
    made = crossed(case, upstream)
    lines = [f"needs: {_needs(case)}"]
    if isinstance(made, list):
        lines.append(f"refused: {', '.join(made)}")
    else:
        lines += [f"dropped: {', '.join(made.dropped) or 'nothing'}"]
        lines += [f"betas: {', '.join(made.betas)}"] if made.betas else []
        lines += outlined(case.name, made.body, toolboxes)
    text = "\n".join(lines)
    first = seen.setdefault(text, case.name)
    return f"## {case.name}\n" + (f"as {first}\n" if first != case.name else f"{text}\n")


def _needs(case: Case) -> str:
    try:
        reading = read(case)
    except CallerError:
        return "unreadable"
    asked = {"cap": reading.shape.cap, "level": reading.level, "budget": reading.budget}
    told = [f"{name} {value}" for name, value in asked.items() if value is not None]
    return ", ".join([*words(reading.shape.needs & ~ALL_LEVELS), *told]) or "nothing"


# Requests that show a difficulty each; they are on record whole.
TELLING = (
    "aider/image.01",
    "claude-code/error_400_adaptive_rewrite.03.post.v1-messages",
    "claude-code/image_read_tool.03.post.v1-messages",
    "claude-code/tool_parallel.03.post.v1-messages",
    "codex/image_tool_output.03.post.v1-responses",
    "codex/output_schema.02.post.v1-responses",
    "codex/tool_apply_patch.04.post.v1-responses",
    "codex/tool_namespace.05.post.v1-responses",
    "opencode/chat_parallel_tool_calls.03",
    "chat/openrouter__tool-result-reasoning__1",
    "messages/anthropic__redacted-thinking__2",
    "messages/anthropic__web-search__2",
    "responses/openai__tool-call-encrypted-reasoning__1",
)


WHOLE = [
    (case, up)
    for case in cases()
    if case.name in TELLING
    for path, up in PAIRS
    if path == case.path
]


@pytest.mark.parametrize(
    ("case", "upstream"), WHOLE, ids=[f"{case.name.split('/')[1]}-{up}" for case, up in WHOLE]
)
def test_a_telling_request_in_full(case, upstream, snapshot):
    made = crossed(case, upstream)
    text = f"dropped: {', '.join(made.dropped) or 'nothing'}\n{whole(made.body)}\n"
    assert text == snapshot(extension_class=_Text)


def test_every_telling_request_is_there():
    assert len(WHOLE) == 2 * len(TELLING)


@pytest.mark.parametrize(("dialect", "upstream"), PAIRS)
def test_no_bridge_stumbles_over_a_request_that_it_was_said_to_carry(dialect, upstream):
    """What a bridge cannot carry is known before it is chosen."""
    stumbles = [
        f"{case.name}: {made[0]}"
        for case in cases()
        if case.path == dialect and _needs(case) != "unreadable"
        for made in [crossed(case, upstream)]
        if isinstance(made, list) and made[0].startswith("invalid-request")
    ]
    assert stumbles == []
