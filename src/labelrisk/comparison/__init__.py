"""Students and annotators against gold on the same test rows: what evaluate, ensemble and table say."""
