"""The JSON/HTTP facade, over real HTTP against a real hub."""
