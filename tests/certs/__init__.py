"""Tests of the PKI."""
