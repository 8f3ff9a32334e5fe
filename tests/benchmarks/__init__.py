"""Speed, measured: CPU per request and per streamed event, beside nginx in one interleaved run.

    make bench                                        everything, into docs/benchmarks.md
    python -m tests.benchmarks --cells W1@64 --rounds 1 --no-write     a quick look

Needs nginx and gcc. Set BENCH_PEERS to a virtual environment with `vllm-router` and
`sglang-router` to have those two measured in the same run.
"""
