"""The claims of the two papers, tested on a study; contract.py says what a claim is, kinds.py lists them."""
