"""All edits by name.  A new one is a function in a file beside this one, and its name here.

One of HARMLESS is also a word of settings/perturb.py.
"""

from __future__ import annotations

from labelrisk.edits.contract import Edit
from labelrisk.edits.letters import homoglyphs, lower, typos, upper
from labelrisk.edits.marks import punctuation, white_space
from labelrisk.edits.sentences import contraction, neutral_sentence, sentence_order, stop_word
from labelrisk.settings.perturb import HarmlessEdit

HARMLESS: dict[HarmlessEdit, Edit] = {  # each on its own, and in chains
    "upper": upper,
    "lower": lower,
    "typos": typos,
    "punctuation": punctuation,
    "white_space": white_space,
    "homoglyphs": homoglyphs,
}
OF_EVIDENCE: dict[str, Edit] = {  # in chains only
    "neutral_sentence": neutral_sentence,
    "sentence_order": sentence_order,
    "stop_word": stop_word,
    "contraction": contraction,
}
