"""Faces of certificates: what a file says of itself, and the code on it."""
