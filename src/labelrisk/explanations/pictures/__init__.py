"""The pictures of explanations, one a file."""
