"""What you risk when you train a text classifier on LLM labels, and what buys the risk back."""
