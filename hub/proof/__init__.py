"""Make and check any proof: pure functions over bytes, without database, network or clock.

The auditor's tool kit. It needs the standard library, `cryptography` and `pyjwt`, and may be used
alone; only what reads PDF or pictures loads a library more, and `worker` runs all of it in a
process that can be killed. It answers for the formats in `docs/formats/`; who may ask for what is
decided elsewhere.
"""
