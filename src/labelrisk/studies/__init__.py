"""Several studies of a repository: found by their files, read as one table, and summed up over tasks."""
