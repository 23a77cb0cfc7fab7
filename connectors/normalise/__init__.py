"""What the cells of legacy systems mean: pure functions from text to a value and its rules.

Only what is declared is changed, and each change has a name (docs/formats/row.md, `rules`).
"""
