"""Texts that say nearly the same: found by hashes in a time that grows with the rows, and then compared."""
