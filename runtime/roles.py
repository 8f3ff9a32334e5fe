"""What a caller may see of the router itself: /metrics and /admin ask for a role, not a group."""

from __future__ import annotations

from sanic.request import Request

from runtime.auth import authenticate
from runtime.edge import Call
from runtime.errors import CallerError
from runtime.vocabulary import Caller

METRICS = "metrics"
REPORTS = "reports"


def authorized(request: Request, role: str) -> tuple[str, Caller]:
    """The token's id and its caller, who has the role.

    Raises CallerError: 401 for no or an unknown token, 403 `role-required` without the role.
    """
    call: Call = request.ctx.call
    state = request.app.ctx.state
    token, caller = authenticate(state.artifact, call.headers, state.today())
    call.notes["token"] = token
    if role not in caller.roles:
        raise CallerError(
            "role-required",
            f"This needs a token whose caller has the role `{role}`. "
            f"Ask the router's admin to write `roles: [{role}]` at a caller of the deployment.",
        )
    return token, caller
