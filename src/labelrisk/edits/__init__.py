"""Edits of a text that leave its label as it is, each one function; kinds.py lists them, variants.py applies them.

The idea of the chains is that of *ReEval* (Yu, Cheng, Liu, Roth & Gao, arXiv 2310.12516, Findings of NAACL 2024): to
judge a model not on static data but on cases made from it, by perturbing the evidence step by step in such a way that
what a right answer is stays known, and to count how often the model's answer no longer stands.  Taken from it: evidence
is perturbed, answers are known, the same cases serve all models.  Our reading of it, and not the paper's: the evidence
is the text that a student classifies; fixed rules take the place of the LLM that writes ReEval's cases, so that they
cost nothing and are the same each time; the chain is one of edits, where the paper chains prompts; and all rows are
edited, where the paper starts from what the model answers well (the share that goes from right to wrong is told apart).
"""
