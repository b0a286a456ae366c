"""What evaluate writes, one analysis a file; contract.py says what an analysis is, registry.py lists them."""
