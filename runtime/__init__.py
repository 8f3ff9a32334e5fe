"""The router: imports one generated package and serves it. It parses no configuration."""

__version__ = "0.1.0"
