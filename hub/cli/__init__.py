"""The `sealway` command line: everything a person does with a hub, at a terminal.

It answers for input, output and exit codes. What may be done, and what became of it, is decided by
the hub; what a proof is worth, by `hub.proof`.
"""
