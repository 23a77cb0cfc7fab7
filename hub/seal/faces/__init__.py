"""The face of a certificate: templates, the fonts they are set in, one layout, three writers.

`template` reads the description that a defining authority approved, `lint` compares it with the
type, `layout` sets values into a `page.Page`, and `ofd`, `pdf` and `svg` write that page down. All
of it is pure but for the font file; sealing what comes out is done elsewhere.
"""
