"""Certificates: how often answers to new rows are wrong at most, and where to answer so that few of them are."""
