"""Which candidates can be asked now: who rests after failures, who is full, who may be tried again.

    Availability ── one per worker, survives a reload
      ├─ Cooldowns   per target: failures in a row, the rest they lead to, the probe after it
      └─ Turns       per request: its candidates one after the other, and what it holds meanwhile

It knows nothing of eligibility, bodies or wires, and waits for nobody.
"""

from runtime.availability.availability import Availability, Snapshot, View
from runtime.availability.cooldowns import Cooldowns
from runtime.availability.turns import Turns

__all__ = ["Availability", "Cooldowns", "Snapshot", "Turns", "View"]
