"""The TLS settings of upstream connections; certificates and names are always checked."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import certifi


def context(env: Mapping[str, str]) -> ssl.SSLContext:
    """Trusts certifi's roots, or those of SSL_CERT_FILE and SSL_CERT_DIR where one is set."""
    file, folder = env.get("SSL_CERT_FILE"), env.get("SSL_CERT_DIR")
    if not (file or folder):
        file = certifi.where()
    return ssl.create_default_context(cafile=file or None, capath=folder or None)
