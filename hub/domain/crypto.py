"""Which algorithms a hub encrypts and looks up with: chosen at `init`, never changed after."""

from __future__ import annotations

from enum import StrEnum


class CryptoProfile(StrEnum):
    """Of what it stores and of its own tokens; seals have the algorithms of their keys."""

    INTERNATIONAL = "international"
    """AES-256-GCM, HMAC-SHA256, ES256."""
    GM = "gm"
    """SM4-GCM, HMAC-SM3, and SM2 twins of tokens (国密)."""
