"""The built-in corpus: sentences of installed API documentation."""
