"""Documents under seals: faces and copies set, marked and sealed as OFD and PDF, and verified."""
