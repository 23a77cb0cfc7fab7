"""Signed PDF: what a signature covers, later revisions, CMS by international algorithms and SM2."""
