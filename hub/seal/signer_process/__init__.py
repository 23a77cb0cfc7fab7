"""The signer apart from the hub: its door, its checks, its journal."""
