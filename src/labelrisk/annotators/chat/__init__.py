"""The annotator of kind `chat`: an LLM behind an OpenAI-compatible endpoint."""
