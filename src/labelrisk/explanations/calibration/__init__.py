"""Do probabilities say how often they are right?  Of students, votes of their seeds and annotators, and tempered."""
