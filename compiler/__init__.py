"""The compiler: one deployment YAML in, one reviewed Python package of dispatch tables out."""

VERSION = "0.1.0"
