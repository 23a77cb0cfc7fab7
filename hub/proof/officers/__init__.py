"""Dual control: the roster of officers, intents, approvals (formats.md §8)."""
