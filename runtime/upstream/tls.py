"""The TLS settings of upstream connections; certificates and names are always checked."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from runtime.upstream.door import httpx


def context(env: Mapping[str, str]) -> ssl.SSLContext:
    """Trusts the roots httpx brings, or those of SSL_CERT_FILE or SSL_CERT_DIR if set."""
    file, folder = env.get("SSL_CERT_FILE"), env.get("SSL_CERT_DIR")
    if file or folder:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    return httpx.create_ssl_context(trust_env=False)
