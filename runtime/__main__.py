"""`python -m runtime ARTIFACT` serves an artifact."""

import gc
import sys

if __name__ == "__main__":
    # Nothing that is imported becomes garbage; the worker turns collection on when it serves.
    gc.disable()
    # Sanic makes developers' certificates with it where tests have installed it: 9 MB, 50 ms.
    sys.modules["trustme"] = None  # type: ignore[assignment]  # the documented way to block it

    from runtime.main import main

    sys.exit(main())
