"""Where texts and gold come from, how they are checked and split, and the prepared rows that all stages read."""
