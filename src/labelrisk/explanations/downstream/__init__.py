"""Downstream: what labels of an annotator, or of students, do to class shares and regressions, and what corrects it."""
