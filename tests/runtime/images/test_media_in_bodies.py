"""Images, documents and audio in bodies: found anywhere, measured, and held to the settings."""

import pytest

from runtime.errors import CallerError
from runtime.vocabulary import Images, Settings
from tests.runtime.dialects.bodies import PNG, body_of, needs, read

PAYLOAD = PNG.partition(",")[2]
URL = "https://example.com/cat.png"
BASE64 = {"type": "base64", "media_type": "image/png", "data": PAYLOAD}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}


def chat(*parts, role="user"):
    return {"messages": [{"role": role, "content": list(parts)}]}


def responses(*parts):
    return {"input": [{"role": "user", "content": list(parts)}]}


def tool_output(*parts):
    return {"input": [{"type": "function_call_output", "call_id": "c", "output": list(parts)}]}


def tool_result(*parts):
    result = {"type": "tool_result", "tool_use_id": "t", "content": list(parts)}
    return {"messages": [{"role": "user", "content": [result]}]}


FOUND = {
    "chat inline": ("chat", chat({"type": "image_url", "image_url": {"url": PNG}}), "image.inline"),
    "chat url": ("chat", chat({"type": "image_url", "image_url": {"url": URL}}), "image.url"),
    "chat url as a string": ("chat", chat({"type": "image_url", "image_url": URL}), "image.url"),
    "chat in a tool message": (
        "chat",
        chat({"type": "image_url", "image_url": {"url": PNG}}, role="tool"),
        "image.inline",
    ),
    "chat without a type": ("chat", chat({"image_url": {"url": URL}}), "image.url"),
    "chat file": ("chat", chat({"type": "file", "file": {"file_data": "JVBERg=="}}), "document"),
    "chat audio": (
        "chat",
        chat({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
        "audio",
    ),
    "responses inline": (
        "responses",
        responses({"type": "input_image", "image_url": PNG}),
        "image.inline",
    ),
    "responses uploaded": (
        "responses",
        responses({"type": "input_image", "file_id": "file-1"}),
        "image.url",
    ),
    "responses in a tool output": (
        "responses",
        tool_output({"type": "input_image", "image_url": PNG, "detail": "high"}),
        "image.inline",
    ),
    "responses screenshot": (
        "responses",
        {
            "input": [
                {
                    "type": "computer_call_output",
                    "call_id": "c",
                    "output": {"type": "computer_screenshot", "image_url": PNG},
                }
            ]
        },
        "image.inline",
    ),
    "responses file by url": (
        "responses",
        responses({"type": "input_file", "file_url": "https://example.com/a.pdf"}),
        "document",
    ),
    "responses file inline": (
        "responses",
        responses({"type": "input_file", "file_data": "data:application/pdf;base64,JVBERg=="}),
        "document",
    ),
    "messages inline": (
        "messages",
        chat({"type": "image", "source": BASE64}),
        "image.inline",
    ),
    "messages url": (
        "messages",
        chat({"type": "image", "source": {"type": "url", "url": URL}}),
        "image.url",
    ),
    "messages in a tool result": (
        "messages",
        tool_result({"type": "text", "text": "look"}, {"type": "image", "source": BASE64}),
        "image.inline",
    ),
    "messages in a document": (
        "messages",
        chat(
            {
                "type": "document",
                "source": {"type": "content", "content": [{"type": "image", "source": BASE64}]},
            }
        ),
        "image.inline document",
    ),
    "messages pdf": ("messages", chat({"type": "document", "source": PDF}), "document"),
    "messages text document": (
        "messages",
        chat(
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "hi"},
            }
        ),
        "document",
    ),
}


@pytest.mark.parametrize(("dialect", "fields", "expected"), FOUND.values(), ids=FOUND.keys())
def test_media_are_found_wherever_they_stand(dialect, fields, expected):
    assert " ".join(needs(dialect, **fields)) == expected


def test_inline_data_count_as_an_image_and_not_as_text():
    long = PNG + "A" * 400_000
    fields = chat({"type": "image_url", "image_url": {"url": long}})
    body = body_of("chat", **fields)

    shape = read("chat", body).shape

    assert shape.images == 1
    assert shape.body_bytes == len(body)
    assert shape.input_tokens == (len(body) - len(long) - 2) // 4 + 1500


def test_a_document_counts_like_an_image():
    body = body_of("messages", **chat({"type": "document", "source": PDF}))

    assert read("messages", body).shape.input_tokens == (len(body) - 10) // 4 + 1500
    assert read("messages", body).shape.images == 0


def test_slashes_may_be_escaped_in_a_data_url():
    body = body_of("chat", **chat({"type": "image_url", "image_url": {"url": PNG}}))

    shape = read("chat", body.replace(b"image/png", rb"image\/png")).shape

    assert shape.images == 1


REFUSED = {
    "a private address": (
        "chat",
        chat({"type": "image_url", "image_url": {"url": "https://10.0.0.1/x"}}),
        "messages[0].content[0].image_url.url",
    ),
    "an escaped private address": (
        "responses",
        responses({"type": "input_image", "image_url": "https://10.0.0.1/x"}),
        "input[0].content[0].image_url",
    ),
    "a private address in a tool result": (
        "messages",
        tool_result({"type": "image", "source": {"type": "url", "url": "https://[::1]/"}}),
        "messages[0].content[0].content[0].source.url",
    ),
    "a private file": (
        "responses",
        responses({"type": "input_file", "file_url": "http://169.254.169.254/"}),
        "input[0].content[0].file_url",
    ),
    "a type that is not allowed": (
        "chat",
        chat({"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,AAAA"}}),
        "messages[0].content[0].image_url.url",
    ),
    "a data url that is not base64": (
        "chat",
        chat({"type": "image_url", "image_url": {"url": "data:image/png,xyz"}}),
        "messages[0].content[0].image_url.url",
    ),
    "a media type that is not allowed": (
        "messages",
        chat({"type": "image", "source": {**BASE64, "media_type": "image/tiff"}}),
        "messages[0].content[0].source",
    ),
    "a document that is a program": (
        "messages",
        chat({"type": "document", "source": {**PDF, "media_type": "application/x-sh"}}),
        "messages[0].content[0].source.media_type",
    ),
}


@pytest.mark.parametrize(("dialect", "fields", "param"), REFUSED.values(), ids=REFUSED.keys())
def test_what_may_not_travel_is_refused_with_its_place(dialect, fields, param):
    with pytest.raises(CallerError) as caught:
        needs(dialect, **fields)

    assert caught.value.code == "image-rejected"
    assert caught.value.param == param


def test_every_refused_url_gets_the_same_words():
    texts = set()
    for url in ("https://10.0.0.1/", "https://localhost/", "ftp://x.example/", "https://a@b.c/"):
        with pytest.raises(CallerError) as caught:
            needs("chat", **chat({"type": "image_url", "image_url": {"url": url}}))
        texts.add(caught.value.message)

    assert len(texts) == 1
    assert "10.0.0.1" not in texts.pop()


def test_too_many_images_are_refused_at_the_first_one_over():
    settings = Settings(name="test", images=Images(max_count=2))
    image = {"type": "image_url", "image_url": {"url": PNG}}

    assert needs("chat", settings, **chat(image, image)) == ["image.inline"]
    with pytest.raises(CallerError, match="at most 2") as caught:
        needs("chat", settings, **chat(image, image, image))
    assert caught.value.param == "messages[0].content[2]"


def test_the_size_limit_is_on_the_decoded_bytes():
    size = len(PAYLOAD) * 3 // 4 - PAYLOAD.count("=")
    image = {"type": "image_url", "image_url": {"url": PNG}}

    fits = Settings(name="test", images=Images(max_bytes=size))
    assert needs("chat", fits, **chat(image)) == ["image.inline"]
    with pytest.raises(CallerError, match=f"{size} bytes"):
        needs("chat", Settings(name="test", images=Images(max_bytes=size - 1)), **chat(image))


def test_the_size_limit_holds_for_messages_too():
    with pytest.raises(CallerError, match="at most 10"):
        needs(
            "messages",
            Settings(name="test", images=Images(max_bytes=10)),
            **chat({"type": "image", "source": BASE64}),
        )
