"""After a theft: what a stolen key sealed, and sealing it anew."""
