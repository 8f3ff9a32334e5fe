"""What a script is asked and what it answers, in words no dialect owns. How it looks on the wire
stands in `chat`, `responses` and `messages` beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call. `arguments` is JSON text, or free text when the tool is a custom one."""

    name: str
    arguments: str
    custom: bool = False
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What the model says: reasoning first, then text, then calls."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error answer, written in the dialect that was asked."""

    status: int
    message: str
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """One recorded request. Header names are in lower case."""

    number: int
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    raw: bytes
    body: Mapping[str, Any]

    @property
    def dialect(self) -> str:
        """The dialect of the path, or an empty word for any other path."""
        ending = self.path.rstrip("/").rsplit("/", 1)[-1]
        return {"completions": "chat", "responses": "responses", "messages": "messages"}.get(
            ending, ""
        )

    @property
    def model(self) -> str:
        """The model name on the wire."""
        return str(self.body.get("model", ""))

    @property
    def stream(self) -> bool:
        """Whether a stream was asked for."""
        return self.body.get("stream") is True

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the offered tools, those inside a namespace too."""
        return tuple(_tool_names(self.body.get("tools") or []))

    @property
    def answers_a_call(self) -> bool:
        """Whether the conversation already holds a tool result."""
        return any(_is_result(entry) for entry in self._history)

    @property
    def last_user_text(self) -> str:
        """The text of the last user turn, all its parts joined."""
        texts = [_text(entry) for entry in self._history if entry.get("role") == "user"]
        return texts[-1] if texts else ""

    @property
    def wants_json(self) -> bool:
        """Whether the answer must be JSON, in any dialect's way of asking."""
        outer = self.body.get("text") or self.body.get("output_config") or {}
        wanted = self.body.get("response_format") or outer.get("format") or {}
        return wanted.get("type") in ("json_object", "json_schema")

    @property
    def _history(self) -> list[Mapping[str, Any]]:
        entries = self.body.get("messages", self.body.get("input"))
        if isinstance(entries, str):
            return [{"role": "user", "content": entries}]
        return entries or []


Reply = Turn | Failure
Script = Callable[[Asked], Reply]


def _tool_names(tools: list[Any]) -> Iterator[str]:
    for tool in tools:
        if tool.get("type") == "namespace":
            yield from _tool_names(tool.get("tools") or [])
            continue
        inner = tool.get("function") or tool.get("custom") or tool
        yield str(inner.get("name") or tool.get("type"))


def _is_result(entry: Mapping[str, Any]) -> bool:
    if entry.get("role") == "tool" or str(entry.get("type", "")).endswith("_call_output"):
        return True
    content = entry.get("content")
    return isinstance(content, list) and any(
        isinstance(part, dict) and part.get("type") == "tool_result" for part in content
    )


def _text(entry: Mapping[str, Any]) -> str:
    content = entry.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part["text"]) for part in parts if part.get("text"))
