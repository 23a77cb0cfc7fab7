"""Answers for identity: authorities, the systems that call for them, officers, access tokens.

Keeps who may call and with which keys, proves possession of every key before it counts, and judges
each call on a snapshot that is at most a second old. Does not decide what a caller may have.
"""
