"""Programs that show how the parts are used; each is run by a test."""
