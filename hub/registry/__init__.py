"""Knows what exists: certificate types and the certificates of all departments.

Takes signed batches, decides what became of each row, keeps versions and finds them again by
identifier, holder, number. Does not seal and does not decide who may have what.
"""
