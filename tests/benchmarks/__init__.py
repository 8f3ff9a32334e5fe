"""Speed, measured: CPU per request and per streamed event, beside nginx in one interleaved run.

    make bench                                        everything, into docs/benchmarks.md
    python -m tests.benchmarks --cells W1@64 --rounds 1 --no-write     a quick look

Needs Linux, two cores, nginx and gcc. Set BENCH_PEERS to a virtual environment with `vllm-router`
and `sglang-router` to have those two measured in the same run.

cells.py      what is sent: dialect, body, how many at once
bodies.py     the requests, answers.py the upstream's answers: both are written into files
upstream.c    a provider that costs nearly nothing, load.c the load generator
targets.py    what is measured: nginx, the router (deployment.yaml), peers
run.py        starts targets, runs cells, reads CPU time (processes.py)
page.py       the table in docs/benchmarks.md
"""
