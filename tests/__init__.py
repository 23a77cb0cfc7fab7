"""The tests."""

import os

# Read when gRPC is imported. Its fork handlers crash the children of a process that has called a
# hub; all that such a child of ours does is to start another program.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
