"""Cheap classifiers on gold labels: what a student must beat to be worth its training."""
