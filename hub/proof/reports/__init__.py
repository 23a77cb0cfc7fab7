"""Reports of a verification: steps, summary, JSON, and what a file shows."""
