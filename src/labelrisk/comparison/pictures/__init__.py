"""Pictures of what evaluate measured, one file each, as PNG with the same bytes at every run."""
