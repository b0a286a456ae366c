"""Learning curves: where they flatten, what more labels would buy, and when gold passes an annotator's labels."""
