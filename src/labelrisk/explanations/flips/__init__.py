"""Which rows flip between seeds, and is that where the annotator was wrong?"""
