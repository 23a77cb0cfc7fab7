"""OFD documents (GB/T 33190-2016): packages, what they refer to, their signatures."""
