"""The demo's deployment as a running router in front of a scripted upstream of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from compiler.demo import Script, ScriptedUpstream
from tests.support.router import ROOT, Router, Token, build, running

DEPLOYMENT = ROOT / "deployments/demo.yaml"
# Three groups, each with one model behind one dialect: the others reach it over a bridge.
BRIDGED = ROOT / "tests/support/bridged.yaml"
BEHIND = {"chat": "only-chat", "responses": "only-responses", "messages": "only-messages"}
PROVIDER = "http://127.0.0.1:8101/v1"
TOKEN = Token("you", "web", "dev", secret="NotASecretOnlyTheDemoOnLoopback", org="demo")


@dataclass
class Demo:
    """Both processes' ends: what the client calls, and what the provider was asked."""

    router: Router
    upstream: ScriptedUpstream

    @property
    def url(self) -> str:
        """The router's origin, without /v1."""
        return f"http://127.0.0.1:{self.router.port}"


@contextmanager
def demo(script: Script, folder: Path, deployment: Path = DEPLOYMENT) -> Iterator[Demo]:
    """Router and upstream for the time of a `with` block."""
    text = deployment.read_text(encoding="utf-8")
    assert PROVIDER in text
    with ScriptedUpstream(script) as upstream:
        artifact = build(text.replace(PROVIDER, upstream.base_url), folder)
        with running(artifact, folder) as router:
            yield Demo(router, upstream)
