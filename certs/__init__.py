"""X.509 for a hub and its members: who issues what, to whom, for how long, and what is withdrawn.

`profiles.toml` says what each kind of X.509 certificate may be used for; `pki.py` makes, renews and
revokes them; `trust/` is where a deployment pins the anchors it believes. It answers for X.509
only; whether an enrolled system may do something is decided by the hub.
"""
