"""Labelled rows: the labels file, its ballots and totals, and labels that are known from earlier runs and revisions."""
