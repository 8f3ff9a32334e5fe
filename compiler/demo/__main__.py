"""`python -m compiler.demo [PORT]`: the scripted upstream on its own, until interrupted."""

from __future__ import annotations

import sys
import threading

from compiler.demo import ScriptedUpstream, help_out

port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
with ScriptedUpstream(help_out, port=port) as upstream:
    sys.stdout.write(f"scripted upstream on {upstream.base_url}\n")
    sys.stdout.flush()
    threading.Event().wait()
