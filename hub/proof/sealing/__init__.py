"""What must hold before the key of a seal signs: a rule for each format, in hub and signers."""
