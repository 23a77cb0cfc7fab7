"""Prometheus' programs, real ones."""

from __future__ import annotations

import os

import pytest

from tests.prometheus_server import Programs, PrometheusAbsent, programs


@pytest.fixture(scope="session")
def prometheus() -> Programs:
    """Server and tool; skipped where they cannot be had, which CI does not accept."""
    try:
        return programs()
    except PrometheusAbsent as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Prometheus is required: {absent}")
        pytest.skip(f"no Prometheus: {absent}")
