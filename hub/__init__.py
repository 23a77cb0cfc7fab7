"""Sealway: a certificate-exchange hub.

One unified database of licences and certificates under the issuing departments' electronic
seals; what the intake platform may know is disclosed with proof, and every disclosure is logged
before it leaves. Each component (`access`, `registry`, `seal`, `exchange`, `ledger`) answers for
one question and imports none of its peers; `server` introduces them to each other.
"""
