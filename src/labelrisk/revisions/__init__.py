"""A study at two git revisions, read without a checkout, and what changed between them."""
