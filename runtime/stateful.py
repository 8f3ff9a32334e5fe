"""Ids of stateful answers: they say which target holds the state, and whose it is.

`resp_<tag>.<proof>.<upstream id>`: the tag names the target, the proof is an 8-byte keyed hash of
project and upstream id. Nothing is stored: a continuation finds its target on any replica, and no
other project can use the id.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import blake2b

from runtime.errors import CallerError

Sealer = Callable[[str], str]

_PREFIX = "resp_"


def seal(key: bytes, project: str, tag: str, upstream_id: str) -> str:
    """The id a caller gets for an answer that `tag` keeps as `upstream_id`."""
    return f"{_PREFIX}{tag}.{_proof(key, project, upstream_id)}.{upstream_id}"


def sealer(key: bytes, project: str, tag: str) -> Sealer:
    """`seal` for one answer, in the form a watcher takes."""
    return lambda upstream_id: seal(key, project, tag, upstream_id)


def unseal(key: bytes | None, project: str, sealed: str) -> tuple[str, str]:
    """(tag, upstream id) of an id given out by `seal` to the same project.

    Raises CallerError `previous-response-not-found` for every other id, one text for all causes.
    """
    tag, _, rest = sealed.removeprefix(_PREFIX).partition(".")
    proof, _, upstream_id = rest.partition(".")
    known = key is not None and sealed.startswith(_PREFIX) and bool(upstream_id)
    expected = _proof(key or b"-", project, upstream_id)
    if not hmac.compare_digest(expected.encode(), proof.encode()) or not known:
        raise not_found()
    return tag, upstream_id


def not_found(where: str = "previous_response_id") -> CallerError:
    """What a client answers by sending the whole conversation again; `where` names the state."""
    return CallerError(
        "previous-response-not-found",
        f"Previous response not found. Send the whole conversation in `input` without `{where}`.",
        param=where,
    )


def _proof(key: bytes, project: str, upstream_id: str) -> str:
    text = f"{len(project)}:{project}{upstream_id}".encode()
    return blake2b(text, key=key[:64], digest_size=8).hexdigest()
