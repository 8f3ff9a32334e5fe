"""How each real agent is started: its command line, its scratch home, its configuration."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NODE_AGENTS = ROOT / ".clients/node/node_modules/.bin"
AIDER = ROOT / ".clients/aider/bin/aider"
SECONDS = 110


@dataclass
class Desk:
    """Where an agent works: a home nobody else uses, a repository, the router it talks to."""

    home: Path
    repository: Path
    base_url: str  # without /v1
    token: str
    model: str = "coder"

    def run(self, command, **variables):
        """Runs an agent to its end and returns what it printed; a failure shows all of it."""
        program = Path(command[0])
        assert program.exists(), f"{program.name} is not installed: run `make clients`"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "NO_PROXY": "*",
            **variables,
        }
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.repository,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
        )
        output = done.stdout.decode(errors="replace")
        assert done.returncode == 0, output
        return output


def codex(desk, prompt, *, catalog=False, effort=None):
    """Codex CLI on Responses; with `catalog` it reads the router's model list first."""
    provider = {
        "name": "Router",
        "base_url": f"{desk.base_url}/v1",
        "env_key": "ROUTER_KEY",
        "wire_api": "responses",
    }
    if catalog:
        provider["model_catalog_url"] = f"{desk.base_url}/v1/models"
    settings = {f"model_providers.router.{key}": value for key, value in provider.items()}
    settings |= {"model": desk.model, "model_provider": "router"}
    if effort:
        settings["model_reasoning_effort"] = effort
    command = [NODE_AGENTS / "codex", "exec", "--ignore-user-config", "--ephemeral"]
    command += ["--ignore-rules", "--skip-git-repo-check"]
    command += ["--dangerously-bypass-approvals-and-sandbox", "-C", desk.repository]
    for key, value in settings.items():
        command += ["-c", f"{key}={json.dumps(value)}"]
    return desk.run([*command, prompt], ROUTER_KEY=desk.token, CODEX_HOME=str(desk.home))


def claude_code(desk, prompt, *, discovery=False):
    """Claude Code on Messages; with `discovery` it asks the router which models there are."""
    command = [NODE_AGENTS / "claude", "--print", "--model", desk.model]
    command += ["--permission-mode", "acceptEdits", "--allowedTools", "Write", "--", prompt]
    variables = {"ANTHROPIC_BASE_URL": desk.base_url, "ANTHROPIC_AUTH_TOKEN": desk.token}
    if discovery:
        variables["CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY"] = "1"
    return desk.run(command, **variables)


def opencode(desk, prompt):
    """opencode on Chat, configured by a file in the repository."""
    limit = {"context": 200000, "output": 32000}
    model = {"name": desk.model, "limit": limit, "reasoning": True}
    router = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Router",
        "options": {"baseURL": f"{desk.base_url}/v1", "apiKey": desk.token},
        "models": {desk.model: model},
    }
    name = f"router/{desk.model}"
    config = {"provider": {"router": router}, "model": name, "small_model": name}
    (desk.repository / "opencode.json").write_text(json.dumps(config | {"autoupdate": False}))
    offline = {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"}
    return desk.run([NODE_AGENTS / "opencode", "run", "--auto", prompt], **offline)


def aider(desk, prompt, file):
    """aider on Chat, in a git repository: it edits, then asks for a commit message."""
    for arguments in ("init --quiet", "config user.name Ann", "config user.email ann@example.org"):
        subprocess.run(["git", *arguments.split()], cwd=desk.repository, check=True)
    prices = desk.home / ".aider/caches/model_prices_and_context_window.json"
    prices.parent.mkdir(parents=True)
    prices.write_text(json.dumps({desk.model: {}}))  # else it asks the internet for them
    command = [AIDER, "--model", f"openai/{desk.model}"]
    command += ["--openai-api-base", f"{desk.base_url}/v1", "--openai-api-key", desk.token]
    command += ["--yes-always", "--no-check-update", "--analytics-disable", "--no-pretty"]
    command += ["--no-show-model-warnings", "--no-suggest-shell-commands", "--no-gitignore"]
    return desk.run([*command, "--message", prompt, file], LITELLM_LOCAL_MODEL_COST_MAP="True")
