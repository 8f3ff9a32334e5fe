"""The three dialects as one table: how each is read, edited, watched and worded.

A dialect is a folder; this table is the only way to its functions. Nothing here knows a provider,
a route or a connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Protocol

import msgspec

from runtime.dialects import answer
from runtime.dialects.chat import answer as chat_answer
from runtime.dialects.chat import decoder as chat_decoder
from runtime.dialects.chat import edit as chat_edit
from runtime.dialects.chat import encoder as chat_encoder
from runtime.dialects.chat import errors as chat_errors
from runtime.dialects.chat import read as chat_read
from runtime.dialects.decode import too_deep
from runtime.dialects.messages import answer as messages_answer
from runtime.dialects.messages import decoder as messages_decoder
from runtime.dialects.messages import edit as messages_edit
from runtime.dialects.messages import encoder as messages_encoder
from runtime.dialects.messages import errors as messages_errors
from runtime.dialects.messages import read as messages_read
from runtime.dialects.reading import Edited, OtherDialect, Reading, Step
from runtime.dialects.responses import answer as responses_answer
from runtime.dialects.responses import decoder as responses_decoder
from runtime.dialects.responses import edit as responses_edit
from runtime.dialects.responses import encoder as responses_encoder
from runtime.dialects.responses import errors as responses_errors
from runtime.dialects.responses import read as responses_read
from runtime.dialects.way import Decoder, Encoder, Way
from runtime.errors import CallerError, RouterError
from runtime.events import Answer
from runtime.vocabulary import Settings, Skin

Headers = Mapping[bytes, bytes]


class Reader(Protocol):
    """A dialect's own reader; `settled` forbids it to point at another dialect.

    `crosses`: the body will probably cross a bridge; it is read faster where that is so.
    """

    def __call__(
        self,
        body: bytes,
        headers: Headers,
        settings: Settings,
        *,
        settled: bool = False,
        crosses: bool = False,
    ) -> Reading: ...


class PathReader(Protocol):
    """Reads in the dialect of a path, and follows a body that is written in another."""

    def __call__(
        self, body: bytes, headers: Headers, settings: Settings, *, crosses: bool = False
    ) -> Reading: ...


class WholeReader(Protocol):
    """Reads an answer in one piece; `rewrite_id` makes our id of the upstream's."""

    def __call__(
        self, body: bytes, asked: str, rewrite_id: Callable[[str], str] | None = None
    ) -> answer.Whole: ...


class Dialect(msgspec.Struct, frozen=True):
    """Everything the exchange needs of one dialect."""

    # the body, understood; it may turn out to be written in another dialect
    read: PathReader
    # the body for one candidate
    edit: Callable[[bytes | dict[str, Any], Reading, Step], Edited]
    # one per streamed answer
    Watcher: type[answer.Watcher]
    # an answer in one piece
    whole: WholeReader
    # the same for a decoder: its bytes, if they are an answer to use
    usable: Callable[[bytes], bytes]
    error_body: Callable[[RouterError, str], bytes]
    error_event: Callable[[RouterError, str, answer.Watcher | None], bytes]
    overflow: Callable[[int, int], CallerError]
    status_of: Callable[[RouterError], int]
    # answers of a skin as events, and events as answers for a caller
    decoder: Callable[[Skin], Decoder]
    Encoder: Callable[[Way], Encoder]
    encode_whole: Callable[[Answer, Way], bytes]


_READERS: Final[dict[str, Reader]] = {
    "chat": chat_read.read,
    "responses": responses_read.read,
    "messages": messages_read.read,
}


def _read(
    path_dialect: str, body: bytes, headers: Headers, settings: Settings, *, crosses: bool = False
) -> Reading:
    name, settled = path_dialect, False
    while True:
        try:
            return _READERS[name](body, headers, settings, settled=settled, crosses=crosses)
        except OtherDialect as other:
            name, settled = other.dialect, other.settled
        except RecursionError:
            raise too_deep() from None


def _thinks(skin: Skin) -> bool:
    """Whether the skin says that its content begins with thinking between tags."""
    return skin.reasoning is not None and skin.reasoning.field == "think"


def _chat_decoder(skin: Skin) -> Decoder:
    return chat_decoder.Decoder(think=_thinks(skin))


DIALECTS: Final[dict[str, Dialect]] = {
    "chat": Dialect(
        read=partial(_read, "chat"),
        edit=chat_edit.edit,
        Watcher=chat_answer.Watcher,
        whole=chat_answer.whole,
        usable=chat_answer.usable,
        error_body=chat_errors.error_body,
        error_event=chat_errors.error_event,
        overflow=chat_errors.overflow,
        status_of=chat_errors.status_of,
        decoder=_chat_decoder,
        Encoder=chat_encoder.Encoder,
        encode_whole=chat_encoder.encode_whole,
    ),
    "responses": Dialect(
        read=partial(_read, "responses"),
        edit=responses_edit.edit,
        Watcher=responses_answer.Watcher,
        whole=responses_answer.whole,
        usable=responses_answer.usable,
        error_body=responses_errors.error_body,
        error_event=responses_errors.error_event,
        overflow=responses_errors.overflow,
        status_of=responses_errors.status_of,
        decoder=lambda _skin: responses_decoder.Decoder(),
        Encoder=responses_encoder.Encoder,
        encode_whole=responses_encoder.encode_whole,
    ),
    "messages": Dialect(
        read=partial(_read, "messages"),
        edit=messages_edit.edit,
        Watcher=messages_answer.Watcher,
        whole=messages_answer.whole,
        usable=messages_answer.usable,
        error_body=messages_errors.error_body,
        error_event=messages_errors.error_event,
        overflow=messages_errors.overflow,
        status_of=messages_errors.status_of,
        decoder=lambda _skin: messages_decoder.Decoder(),
        Encoder=messages_encoder.Encoder,
        encode_whole=messages_encoder.encode_whole,
    ),
}
