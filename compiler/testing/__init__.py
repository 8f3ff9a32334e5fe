"""Deployments under test: compiled in process, asked like an artifact, held against snapshots.

`plugin` is what pytest loads; importing this package costs nothing.
"""
