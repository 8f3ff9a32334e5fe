"""Deployments as YAML text, for everything that happens after they are read."""

from __future__ import annotations

import json
from pathlib import Path

from compiler.artifact import artifact_files, write
from compiler.checks import answers, bridges
from compiler.pipeline import read_deployment
from compiler.plan import make_plan

CASES = Path(__file__).parents[2] / "deployments"
DIGEST = "7e7de929dc53b3f045f713a964e99a9b6be28b6cea8c59ef730f804952e00e9d"


def small(**changes):
    """A deployment as plain data; each change replaces a top-level section."""
    return {
        "interlock": 1,
        "name": "small",
        "as_of": "2026-11-20",
        "providers": {"own": {"base_url": "https://own.example/v1", "key_env": "OWN_KEY"}},
        "targets": {"t": {"provider": "own", "model": "m", "skins": {"chat": skin()}}},
        "groups": {"g": group()},
        "limits": {"dev": {"rpm": 60}},
        "projects": {"web": {"providers": ["own"]}},
        "callers": {"alice": caller()},
        **changes,
    }


def skin(**more):
    return {"stream": "native", "tools": ["function"], **more}


def group(**more):
    return {
        "surfaces": ["chat"],
        "policy": {"kind": "ordered"},
        "members": [{"target": "t"}],
        **more,
    }


def caller(**more):
    return {
        "user": "alice",
        "project": "web",
        "env": "dev",
        "groups": ["g"],
        "limits": "dev",
        "tokens": [{"id": "rtr_small_alice_web_dev_k1", "sha256": DIGEST}],
        **more,
    }


def resolved(document):
    """The deployment behind plain data; JSON is YAML, but for the dates it would quote."""
    text = json.dumps(document)
    for date in ("as_of", "expires"):
        text = text.replace(f'"{date}": "2026-11-20"', f'"{date}": 2026-11-20')
    deployment, report = read_deployment(text, "small.yaml")
    assert deployment is not None, report.text()
    return deployment, report


def planned(document, **served):
    """The plan behind plain data."""
    return make_plan(resolved(document)[0], **served)


def built(document, folder):
    """The artifact behind plain data, written."""
    plan = planned(document)
    place = folder / plan.deployment.name
    write(artifact_files(plan, "small.yaml"), place)
    return place


def findings(document):
    """Codes and messages of the checks over a plan."""
    deployment, report = resolved(document)
    plan = make_plan(deployment)
    for check in (*answers.CHECKS, *bridges.CHECKS):
        report.run(check, deployment, plan)
    return report.diagnostics
