"""Mathematics on arrays of class codes and probabilities: scores, agreement, votes and intervals."""
