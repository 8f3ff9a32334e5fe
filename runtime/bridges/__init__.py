"""Requests from one dialect into another, a folder per pair, and what they share.

`served` has them all by name; `relay` brings the answers back.
"""
