"""Numbers about what the router does, for Prometheus: counted per worker, told for all of them."""
