"""Every error a caller can get, on one page. How a dialect words it stands in `runtime.dialects`.

    RouterError
    ├── CallerError        the request is wrong, or may not be made: never sent upstream
    └── UpstreamError      a candidate failed: `retryable` says whether the next one may be tried

`code` is stable; `message` says what to do next and never names a key, token, digest or URL.
"""

from __future__ import annotations

from typing import Any

# code -> status, for the codes whose status never varies
STATUS: dict[str, int] = {
    "invalid-request": 400,
    "missing-model": 400,
    "provider-hosted-tools-forbidden": 400,
    "image-rejected": 400,
    "previous-response-not-found": 400,
    "context_length_exceeded": 400,
    "invalid-api-key": 401,
    "model-not-allowed": 403,
    "key-disabled": 403,
    "key-expired": 403,
    "role-required": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "request-timeout": 408,
    "length-required": 411,
    "request-too-large": 413,
    "uri-too-long": 414,
    "unsupported-media-type": 415,
    "websocket-unsupported": 426,
    "headers-too-large": 431,
    "rpm-exceeded": 429,
    "tpm-exceeded": 429,
    "concurrency-exceeded": 429,
    "budget-exceeded": 429,
    "upstream-rate-limited": 429,
    "internal-error": 500,
    "no-eligible-target": 502,
    "upstream-unreachable": 502,
    "upstream-invalid-response": 502,
    "upstream-auth": 502,
    "shutting-down": 503,
    "usage-unavailable": 503,
    "too-many-connections": 503,
    "upstream-overloaded": 503,  # 529 on Messages
    "upstream-timeout": 504,
}


class RouterError(Exception):
    """An answer that is an error. `param` is a JSON path into the body, `details` are scalars."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        param: str | None = None,
        details: dict[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status if status is not None else STATUS[code]
        self.param = param
        self.details = details
        self.retry_after = retry_after
        # the upstream's own code, where clients know it better than ours
        self.told_code: str | None = None
        # added to the error's own headers by whoever answers it; the trace as finished lines
        self.headers: tuple[tuple[bytes, bytes], ...] = ()
        self.trace = b""


class CallerError(RouterError):
    """The caller's fault, found before any upstream call."""


class UpstreamError(RouterError):
    """A candidate failed. `kind` is the class for logs and rows.

    `wait` is how many seconds the upstream asks to be left alone, None where it says nothing.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        kind: str,
        retryable: bool,
        status: int | None = None,
        param: str | None = None,
        details: dict[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(
            code,
            message,
            status=status,
            param=param,
            details=details,
            retry_after=retry_after,
        )
        self.kind = kind
        self.retryable = retryable
        self.wait: float | None = None
        # what it was made of, for `failures.reclassified`
        self.evidence: object = None
