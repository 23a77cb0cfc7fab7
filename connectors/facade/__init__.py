"""The facade: operations of the GB/T 36906 family as JSON over HTTP, for those who cannot sign.

A process of its own and a client of the hub like any other. It signs as an enrolled system with the
role of a platform, and every request says for which account. It stores nothing about certificates.
"""
