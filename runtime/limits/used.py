"""What a request reserves money for, and what it has used in the end."""

from __future__ import annotations

from runtime.artifact import Artifact
from runtime.decision import Decision
from runtime.records.account import Account
from runtime.vocabulary import Price


def price_of(artifact: Artifact, decision: Decision) -> Price | None:
    """The price of the target that is asked first, if it is known."""
    price = decision.order[0].target.price
    return None if price is None else artifact.prices[price]


def used(account: Account) -> tuple[int | None, float | None]:
    """Tokens and USD. None: an upstream was at work, and what it used nobody knows.

    So it is where a client leaves early, or a provider counts nothing.
    """
    if (usage := account.usage) is not None:
        spent = account.spent()
        tokens = (usage.input or 0) + (usage.output or 0)
        return tokens, spent.total if spent is not None else None
    if account.asking or account.answered:
        return None, None
    return 0, 0.0
