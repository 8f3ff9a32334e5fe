"""How much callers may ask for: counted before a request goes on, settled when it has ended."""

from runtime.limits.limits import FREE, InProcess, Level, Limits, Ticket

__all__ = ["FREE", "InProcess", "Level", "Limits", "Ticket"]
