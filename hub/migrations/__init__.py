"""The database schema and its changes, as Alembic revisions."""
