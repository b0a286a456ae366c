"""What lies under the verdict, one explanation a file; contract.py says what one is, kinds.py lists them."""
