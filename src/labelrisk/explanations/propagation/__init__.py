"""How an annotator's errors reach its students: repeated, corrected, invented; systematic or random; and whose."""
