"""What evaluate writes, one analysis a file; contract.py says what an analysis is, kinds.py lists them."""
