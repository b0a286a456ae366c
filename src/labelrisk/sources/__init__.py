"""Label sources: which rows students learn from, with which labels."""
