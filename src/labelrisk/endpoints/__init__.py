"""Requests and batches are sent to an OpenAI-compatible endpoint as fast as it allows, and retried within bounds."""
