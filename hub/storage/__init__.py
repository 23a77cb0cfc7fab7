"""Keeps things: the database behind one contract, encryption at rest, paging.

Decides nothing. Components state their questions as `Statement`s and what they want written as
`Write`s; only the ledger's recorder writes.
"""
