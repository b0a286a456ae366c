"""Do labels flip when a text is edited so that they should not?  By edit, along chains of edits, and by source."""
