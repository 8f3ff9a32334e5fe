"""Anthropic Messages: the one place that knows this wire."""
