"""OpenAI Chat Completions: the one place that knows this wire."""
