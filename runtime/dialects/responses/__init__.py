"""OpenAI Responses: the one place that knows this wire."""
