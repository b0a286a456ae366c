"""Every answer that was paid for, in one SQLite file: stored, looked into, exported, imported and pruned."""
