"""A folder for a new study: what is in its texts, and the files that it needs."""
