"""A generated package written by hand: the smallest artifact the router serves."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from runtime.artifact import digest_of

_HEAD = "from runtime.vocabulary import Caller, Provider, Settings, Token\n"


def write(folder: Path, providers: str = "") -> Path:
    """Writes the package into `folder`; `providers` is the inside of its table, as Python."""
    files = {
        "__init__.py": f"{_HEAD}SETTINGS = Settings('tiny')\n",
        "providers.py": f"{_HEAD}PROVIDERS = {{{providers}}}\n",
        "targets.py": f"{_HEAD}TARGETS = {{}}\nPRICES = {{}}\n",
        "policies.py": f"{_HEAD}GROUPS = {{}}\n",
        "callers.py": f"{_HEAD}CALLERS = {{}}\nTOKENS = {{}}\nREACHES = {{}}\nLIMITS = {{}}\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    digests = {name: sha256(text.encode()).hexdigest() for name, text in files.items()}
    manifest = {
        "format": 1,
        "name": "tiny",
        "digest": digest_of(digests),
        "compiler": "0",
        "source": {},
        "files": digests,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder
