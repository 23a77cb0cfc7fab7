"""Kinds of legacy system, one module each: they turn a source into records of text cells."""
