"""Who may have what: grants, and the fetch that discloses exactly what a grant allows.

Answers for: no record, no disclosure; only what the purpose allows; one effect per request id.
Does not answer for: what is on file (registry), who vouches for it (seal), who is calling (access).
"""
