"""Classifiers to use: students that vote, each a folder with what it needs, loaded in one line."""
