"""What an LLM is asked about a row, and what its replies mean: prompts, demonstrations, confidence, screening."""
