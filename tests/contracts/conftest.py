"""What the contracts share."""

from __future__ import annotations

import pytest

from hub.domain.crypto import CryptoProfile


@pytest.fixture
def profile(database_url: str) -> CryptoProfile:
    """The other profile on each engine: what they do has nothing to do with each other, and so each
    contract is held to both without being run four times."""
    is_sqlite = database_url.startswith("sqlite")
    return CryptoProfile.GM if is_sqlite else CryptoProfile.INTERNATIONAL
