"""Two releases of one deployment that answer differently, and a link that leads to one of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.router import Token, build
from tests.support.steady import Steady
from tests.support.wire import Answer

CALLER = Token("caller", "web", "ci", secret="qHvT3yZrW8kPm5XcNb7LdJ2fGs9")
HEADERS = {"authorization": f"Bearer {CALLER.whole}", "content-type": "application/json"}
PATH = "/v1/chat/completions"

# Which provider answers, and as which model, differs from release to release.
_YAML = """\
interlock: 1
name: releases
as_of: 2026-11-20
settings: {{trace: {{show_upstream: true}}}}
providers:
  own: {{base_url: "http://127.0.0.1:{port}/v1", {key}, allow_http: true, transport: {transport}}}
targets:
  small:
    provider: own
    model: {model}
    skins: {{chat: {{stream: native}}}}
groups:
  coder:
    surfaces: [chat]
    policy: {{kind: ordered}}
    members: [{{target: small}}]
limits:
  dev: {{rpm: 1000000, concurrent: 10000}}
projects:
  web: {{providers: [own]}}
callers:
  caller:
    user: {caller.user}
    project: {caller.project}
    env: {caller.env}
    groups: [coder]
    limits: dev
    tokens:
      - {{id: {caller.id}, sha256: {caller.sha256}}}
"""


def yaml(port: int, model: str, *, key: str = "auth: none", transport: str = "fast") -> str:
    """A deployment whose one provider listens on `port`."""
    return _YAML.format(port=port, model=model, key=key, transport=transport, caller=CALLER)


@dataclass
class Release:
    """An artifact on disk. `model` is the one its provider is asked for."""

    model: str
    folder: Path

    @property
    def digest(self) -> str:
        """Of the artifact, as /version says it."""
        digest: str = json.loads((self.folder / "manifest.json").read_bytes())["digest"]
        return digest


def release(text: str, folder: Path) -> Release:
    """Compiles a deployment into a folder of its own."""
    (model,) = re.findall(r"model: (\S+)", text)
    place = folder / model
    place.mkdir(parents=True)
    return Release(model, build(text, place))


@dataclass
class Releases:
    """Those there are; `current` is a link to the one that is to be served."""

    all: Sequence[Release]
    current: Path

    def turn(self, to: Release) -> Release:
        """Lets the link lead to another release, in one step."""
        beside = self.current.with_name("next")
        beside.symlink_to(to.folder)
        beside.replace(self.current)
        return to

    def faults(self, answers: Sequence[Answer]) -> list[str]:
        """What is wrong with the answers: failed, cut, or not of one release alone."""
        models = {r.digest[:12]: r.model for r in self.all}
        return [fault for answer in answers if (fault := _fault(answer, models))]


def releases(provider: Steady, folder: Path, models: Sequence[str], **more: str) -> Releases:
    """A release for each model, one port of the provider for each, as far as it has ports."""
    last = len(provider.ports) - 1
    made = [
        release(yaml(provider.ports[min(n, last)], model, **more), folder)
        for n, model in enumerate(models)
    ]
    link = folder / "current"
    link.symlink_to(made[0].folder)
    return Releases(made, link)


def request(*, stream: bool = False) -> bytes:
    """A Chat request."""
    messages = [{"role": "user", "content": "Who are you?"}]
    return json.dumps({"model": "coder", "messages": messages, "stream": stream}).encode()


def _fault(answer: Answer, models: dict[str, str]) -> str | None:
    if answer.status != 200 or answer.ending != "clean":
        return f"{answer.status} {answer.ending}: {answer.body[:200]!r}"
    artifact = answer.header("x-router-artifact") or ""
    said = set(re.findall(rb'"content": ?"([^"]+)"', answer.body))
    if said != {models[artifact].encode()}:
        return f"{artifact} answered as {said}"
    streamed = answer.header("content-type") == "text/event-stream"
    if streamed and not answer.body.endswith(b"data: [DONE]\n\n"):
        return f"a stream without its end: {answer.body[-200:]!r}"
    return None
