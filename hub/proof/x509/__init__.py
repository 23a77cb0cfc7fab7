"""Certificates and their chains, by `cryptography` and, with SM2, here."""
