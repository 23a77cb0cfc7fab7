"""Words of the trade as values: identifiers, holders, certificate types, rows.

Pure functions and frozen dataclasses over the standard library; no input or output, no clock, no
database. Everything that crosses a component's border is one of these.
"""
