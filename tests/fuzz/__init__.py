"""Fuzzing of every parser that reads what strangers made; `make fuzz` runs it with atheris."""
