"""The page of a study: one HTML file that holds all that was found, and the rows that matter."""
