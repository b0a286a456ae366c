"""Sections of params.yaml as frozen typed objects: one file for each stage, and one for the chat annotator."""
