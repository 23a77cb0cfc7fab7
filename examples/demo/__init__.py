"""`make demo`: the whole way once, on embedded defaults, with commands a person would type.

`cast` says who plays, `stage` runs commands, hub and streams; each further module is some chapters
of the story, and `__main__` tells them in order.
"""
