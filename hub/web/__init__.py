"""Public, signed things over plain HTTP: nothing here needs an identity, nothing here is secret."""
