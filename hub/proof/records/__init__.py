"""Sealed records: SD-JWT, their disclosures, batches, twins and status."""
