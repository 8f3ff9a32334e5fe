"""Requests that real agents sent have the shape a reviewer expects of them."""

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from runtime.dialects import DIALECTS
from runtime.vocabulary import LEVELS, Reasoning, Settings, words
from tests.runtime.dialects.bodies import BUDGETS, open_skin, step_of
from tests.runtime.dialects.captures import Capture, captures

SETTINGS = Settings(name="test", budgets=BUDGETS, hosted_tools={"web_search": "prefer"})
CAPTURES = captures()


class _Text(SingleFileSnapshotExtension):
    file_extension = "txt"
    _write_mode = WriteMode.TEXT


@pytest.mark.parametrize("client", ["aider", "claude-code", "codex", "opencode"])
def test_every_captured_request_has_the_shape_on_record(client, snapshot):
    lines = [_line(capture) for capture in CAPTURES if capture.name.startswith(f"{client}/")]

    assert "\n".join(lines) + "\n" == snapshot(extension_class=_Text)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda capture: capture.name)
def test_padding_brings_a_capture_close_to_what_went_over_the_wire(capture):
    # line breaks in cut texts were two bytes on the wire and are one in the padding
    assert 0.9 * capture.size <= len(capture.body) <= capture.size


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda capture: capture.name)
def test_a_skin_that_takes_all_of_it_gets_every_byte_but_the_model(capture):
    reading = DIALECTS[capture.dialect].read(capture.body, capture.headers, SETTINGS)
    control = {"enabled": "budget", "adaptive": "adaptive"}.get(reading.thinking or "", "effort")
    if reading.dialect == "messages" and control == "effort":
        control = "adaptive"
    reasoning = Reasoning(control=control, levels=tuple(LEVELS), summaries=True)
    drop = () if reading.include_usage else ("stream_options",)

    edited = DIALECTS[reading.dialect].edit(
        capture.body, reading, step_of(open_skin(reasoning=reasoning, drop=drop))
    )

    expected = capture.body.replace(f'"model":"{reading.model}"'.encode(), b'"model":"up"', 1)
    if control == "budget":
        # 31999 tokens of thinking leave no room for an answer below a cap of 32000
        expected = expected.replace(b'"budget_tokens":31999', b'"budget_tokens":30976')
        expected = expected.replace(b',"output_config":{"effort":"high"}', b"")
    assert edited.body == expected
    assert edited.dropped == ()


def _line(capture: Capture) -> str:
    reading = DIALECTS[capture.dialect].read(capture.body, capture.headers, SETTINGS)
    shape = reading.shape
    marks = [
        f"cap={shape.cap}",
        f"input_tokens={shape.input_tokens}",
        f"tools={shape.tools}",
        f"images={shape.images}",
        f"session={'yes' if reading.session else 'no'}",
        *(f"budget={reading.budget}" for _ in (0,) if reading.budget is not None),
        *(f"thinking={reading.thinking}" for _ in (0,) if reading.thinking is not None),
        *(f"strippable={word}" for word in reading.strip),
        *("opaque" for _ in (0,) if reading.opaque),
        *("system-turns" for _ in (0,) if reading.system_turns),
    ]
    return f"{capture.name} -> {' '.join(words(shape.needs)) or 'nothing'} | {' '.join(marks)}"
