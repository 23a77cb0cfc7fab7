"""From a department's legacy system to signed batches, without changing that system.

A manifest declares the source and its mapping; a run reads, normalises, signs and submits, keeps
what it sent until the hub's receipt is on disk, and accounts for every row that it read.
"""
