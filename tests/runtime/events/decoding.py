"""Answers through watcher and decoder, and as lines that a reviewer can read."""

import json
from importlib import import_module

from runtime import sse
from runtime.events import Order, Reasoning, Refusal, Text, ToolCall, fold
from tests.runtime.answers.recordings import watcher


def decoder(dialect, **options):
    return module(dialect).Decoder(**options)


def module(dialect):
    return import_module(f"runtime.dialects.{dialect}.decoder")


def watched(recording, *pieces):
    """Name and data of every event that the native watcher lets through."""
    seen = watcher(recording)
    out = b"".join(seen.feed(piece) for piece in pieces or [recording.body]) + seen.eof()
    assert seen.done, seen.error
    return frames(out)


def frames(stream):
    parsed = (sse.parse(event) for event in sse.Splitter().feed(stream))
    return [(name, data) for name, data in parsed if data and data != b"[DONE]"]


def decoded(making, events):
    """All events of a stream, each legal after those before it."""
    order, made = Order(), []
    for name, data in events:
        made += making.feed(name, data)
    made += making.flush()
    for event in made:
        order.follow(event)
    assert order.state == "finished"
    return made


def fed(dialect, *documents, **options):
    """The events of a stream of these documents."""
    making = decoder(dialect, **options)
    return decoded(making, [(b"", json.dumps(document).encode()) for document in documents])


def told(dialect, *documents):
    """Whatever the decoder makes of these documents, legal or not: its errors are its own."""
    making = decoder(dialect)
    events = [(b"", json.dumps(document).encode()) for document in documents]
    return [event for name, data in events for event in making.feed(name, data)] + making.flush()


def lines(events):
    """A line for every part, and the reason why the answer ended."""
    answer = fold(events)
    return [*map(_line, answer.parts), answer.reason]


def _line(part):
    sealed = " +" + ",".join(sorted(part.opaque.data)) if part.opaque else ""
    return f"{_head(part.block)}: {part.text}{sealed}"


def _head(block):
    match block:
        case Text():
            return "text"
        case Refusal():
            return "refusal"
        case Reasoning(summary=summary):
            return "summary" if summary else "reasoning"
        case ToolCall(id=call_id, name=name, custom=custom, namespace=namespace):
            tool = f"{namespace}/{name}" if namespace else name
            return f"{'custom' if custom else 'call'} {call_id} {tool}"


def described(file, events, unknown):
    """What was understood of a recording, in full, for a reviewer."""
    answer = fold(events)
    usage = answer.usage
    out = [f"## {file}", f"id {answer.id!r}, {len(events)} events, {answer.reason}"]
    if answer.stop_sequence is not None:
        out.append(f"stop sequence {answer.stop_sequence!r}")
    if usage is not None:
        counts = (f"{field} {getattr(usage, field)}" for field in usage.__struct_fields__)
        out.append("tokens: " + ", ".join(count for count in counts if "None" not in count))
    if unknown:
        out.append("unknown: " + ", ".join(f"{name} x{unknown[name]}" for name in sorted(unknown)))
    for part in answer.parts:
        out.append(f"-- {_head(part.block)}{_seal(part)}{_tokens(part)}")
        out += [f"   {line}".rstrip() for line in part.text.split("\n")]
    return "\n".join(out) + "\n"


def _seal(part):
    if part.opaque is None:
        return ""
    size = len(json.dumps(part.opaque.data))
    return f" [{part.opaque.dialect} state: {', '.join(part.opaque.data)}; {size} characters]"


def _tokens(part):
    return f" [{len(part.logprobs)} logprobs]" if part.logprobs else ""
