"""The place of one request's answer among the kept ones: looked at before, filled after."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from runtime.cache.answers import Answers, Kept
from runtime.cache.key import key_of
from runtime.cache.rules import may_be_kept, wishes
from runtime.decision import Decision
from runtime.dialects.reading import Reading
from runtime.edge import Call
from runtime.records.account import Account
from runtime.selection import Candidate

_HEADER: Final = "Cache"
_Found = Literal["hit", "miss", "bypass"]


class Again(NamedTuple):
    """A kept answer, and the candidate it came from."""

    candidate: Candidate
    kept: Kept


class Place:
    """`again` is the answer that was kept there, if there is one."""

    __slots__ = ("_account", "_answers", "_key", "_pieces", "_room", "_size", "_usual", "again")

    def __init__(
        self, answers: Answers, account: Account, usual: Candidate, key: bytes, again: Again | None
    ) -> None:
        self.again = again
        self._answers = answers
        self._account = account
        self._room = account.serving.artifact.settings.cache
        self._usual = usual
        self._key = key
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """More of the answer; one that is too large is let go of."""
        self._size += len(piece)
        if self._answers.takes(self._size, self._room):
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def keep(self, candidate: Candidate) -> None:
        """The answer is whole and came from this candidate. That of a fallback is not kept."""
        if candidate is not self._usual or not self._pieces:
            return
        account, body = self._account, b"".join(self._pieces)
        kept = Kept(
            candidate.target_id, candidate.route.skin, account.dropped, _worth(account), body
        )
        self._answers.put(self._key, kept, self._room)


async def look_up(
    answers: Answers, call: Call, account: Account, decision: Decision, reading: Reading
) -> Place | None:
    """The place of an answer; None where the request is none for the cache.

    What was found stands in the answer's head and in the account.
    """
    takes, keeps = wishes(call.headers.get(b"cache-control", b""))
    key = None
    if keeps and may_be_kept(reading):
        key = key_of(
            account.serving.artifact.digest,
            decision.caller.project,
            decision.group_id,
            decision.surface,
            call.headers,
            call.body,
        )
    again = await _again(answers, key, decision) if takes and key is not None else None
    _note(call, account, _state(again, bypassed=key is None or not takes))
    return None if key is None else Place(answers, account, decision.order[0], key, again)


async def _again(answers: Answers, key: bytes, decision: Decision) -> Again | None:
    """What was kept, where its candidate is still one of this request's."""
    kept = await answers.get(key)
    if kept is None:
        return None
    for candidate in decision.order:
        if candidate.target_id == kept.target and candidate.route.skin == kept.skin:
            return Again(candidate, kept)
    return None


def _state(again: Again | None, *, bypassed: bool) -> _Found:
    if bypassed:
        return "bypass"
    return "miss" if again is None else "hit"


def _note(call: Call, account: Account, state: _Found) -> None:
    account.cache = state
    call.lines += account.serving.tracer.lines({_HEADER: state})


def _worth(account: Account) -> float | None:
    """USD that the next such answer costs less by: what the baseline would have, or what this did.

    Savings are always counted against the baseline where a group has one.
    """
    usual = account.baseline()
    if usual is not None:
        return usual
    spent = account.spent()
    return spent.total if spent is not None else None
