"""The homes of keys: one file each, all under the contract `hub.seal.keys.KeyHome`."""
