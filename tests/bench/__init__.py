"""Benchmarks: programs that measure ratios against yardsticks in one run, never timed tests.

`python -m tests.bench.run --help`; what the figures mean stands in docs/bench/README.md.
"""

import os

# gRPC says at length, for each process started beside it, that all is well.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
