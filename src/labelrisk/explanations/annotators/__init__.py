"""Annotators: how far annotators agree, which errors they share, what panels add, and what students make of it."""
