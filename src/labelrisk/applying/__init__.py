"""A classifier is applied to files and pipes of any size: in parts, each kept, with what it says about the whole."""
