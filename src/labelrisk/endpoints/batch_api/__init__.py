"""Requests are asked in batches: files go up, and their answers come down within a day."""
