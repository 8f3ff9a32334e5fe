"""`python -m runtime ARTIFACT` serves an artifact."""

import gc
import sys
from types import ModuleType

if __name__ == "__main__":
    # Nothing that is imported becomes garbage; the worker turns collection on when it serves.
    gc.disable()
    # Sanic makes developers' certificates with it where tests have installed it: 9 MB, 50 ms.
    sys.modules["trustme"] = None  # type: ignore[assignment]  # the documented way to block it

    # Sanic's HTML page for developers, never served here, brings a traceback viewer: 40 ms.
    page = sys.modules["sanic.pages.error"] = ModuleType("sanic.pages.error")
    page.ErrorPage = None  # type: ignore[attr-defined]  # the name Sanic imports

    from runtime.main import main

    sys.exit(main())
