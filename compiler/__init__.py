"""The compiler: one deployment YAML in, one reviewed Python package of dispatch tables out."""
