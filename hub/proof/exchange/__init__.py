"""Signed requests and batches, tokens, and answers that prove themselves."""
