"""Vouches: seals with their keys, intents that officers approve, record seals, status lists.

No key is used without a stored intent that two officers approved, and no function here signs a
digest or bytes that it did not build or parse itself. Does not decide what a certificate says.
"""
