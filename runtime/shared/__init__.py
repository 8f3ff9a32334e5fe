"""What workers and machines share, over a Redis that may be away at any time."""

from runtime.shared.store import Store

__all__ = ["Store"]
