"""People who label by hand: rows drawn for them, their files read back, and annotators held against them."""
