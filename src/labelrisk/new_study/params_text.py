"""params.yaml of a new study: the template's, with the corpus, annotators, sources and caps of the study."""

from __future__ import annotations

import re
from collections.abc import Mapping

from labelrisk.new_study.columns import Columns
from labelrisk.new_study.contents import Contents
from labelrisk.new_study.yaml_text import quoted, section, with_sections, with_value

CODEBOOK = "codebook.yaml"
MOST_EMBEDDED = 26  # classes that the embedded annotator can tell, a letter each
CAPS = {"train": 400, "validation": 200, "test": 1000}  # with which the built-in study takes minutes

GOLD = f"""\
annotators:
  gold:
    kind: gold
    reads: {CODEBOOK}
"""
EMBEDDED = f"""\
  embedded:                   # a small sentence encoder in this process; no LLM, no key, no network
    kind: chat
    reads: {CODEBOOK}
    model: all-MiniLM-L6-v2
    base_url: embedded
    shots: 3                  # demonstrations: train rows with their gold label, shown in the prompt
    draw: fixed               # fixed | random (other ones for each row) | balanced | nearest | diverse
    seed: 0
    confidence: logprobs      # logprobs | votes | verbalised | explanations | none
"""
LLM = f"""\
  # An LLM: take the marks away, and put it into sources.  `labelrisk plan` says what it would cost before it is asked.
  # gpt:
  #   kind: chat
  #   reads: {CODEBOOK}
  #   model: gpt-4.1-mini
  #   base_url: https://api.openai.com/v1
  #   api_key_env: OPENAI_API_KEY             # the name of the environment variable; keys never stand in files
  #   price: {{input: 0.40, output: 1.60}}      # per million tokens
  #   max_cost: 5                             # of all that annotators of this name ask in this repository
  #   shots: 3
  #   draw: fixed
  #   seed: 0
  #   confidence: logprobs
"""
IMPORTED = """\
  # Labels of a model that the file of the texts holds, another column an annotator; put it into sources, too.
  # {slug}:
  #   kind: import
  #   reads: {path}
  #   text: {text}
  #   label: {label}
"""
SOURCES = """\
sources:
  gold:
    annotator: gold
  embedded:
    annotator: embedded
"""
BUYING = """\
  embedded_gold_entropy:
    annotator: embedded
    select: {by: entropy, share: 0.25}
    action: gold
  embedded_gold_random:       # control: the same gold budget, spent at random
    annotator: embedded
    control: random
    of: embedded_gold_entropy
"""
NOT_BUYING = """\
  # Not every train row has a gold label, so that none can be bought for doubtful rows from the corpus.  Let people
  # label these: a second opinion with ask: {kind: import, ..., people: true}, and `labelrisk sample --source ...`.
"""
NOISE = """\
  gold_noise_confusion:       # control: the annotator's errors, but random given the class
    annotator: embedded
    labels: gold
    noise: confusion
"""
OF_GOLD = """\
sources:
  gold:
    annotator: gold
  gold_noise:                 # control: one label in five is wrong, evenly over the other classes
    annotator: gold
    labels: gold
    noise: uniform
    at: 0.2
"""


def params_text(template: str, path: str, columns: Columns, contents: Contents, shares: Mapping[str, float]) -> str:
    """The template's text, comments and all, with what belongs to the study.

    path: of the texts, from the study's folder; shares: by which rows are split here.
    """
    embedded = len(contents.classes) <= MOST_EMBEDDED
    prepare = section(template, "prepare") or "prepare:\n"
    for key, share in shares.items():
        prepare = with_value(prepare, key, f"{share:g}")
    for name, cap in CAPS.items():
        fits = contents.splits.get(name, cap + 1) <= cap
        prepare = with_value(prepare, f"{name}_rows", "null" if fits else str(cap))
    curve = section(template, "curve") or "curve:\n"
    ensemble = section(template, "ensemble") or "ensemble:\n"
    bodies = {
        "codebook": f"codebook: {CODEBOOK}\n",
        "corpus": _corpus(path, columns),
        "annotators": GOLD + (EMBEDDED if embedded else "") + LLM + _imported(path, columns),
        "panels": "panels: {}\n",
        "second_opinions": "second_opinions: {}\n",
        "sources": _sources(contents),
        "prepare": prepare,
        "curve": with_value(with_value(curve, "sizes", "[]"), "sources", "[]"),
        "evaluate": with_value(section(template, "evaluate") or "evaluate:\n", "reference", "gold"),
        "ensemble": with_value(with_value(ensemble, "across", _across(contents)), "chosen", "auto"),
    }
    return with_sections(template.replace("`make repro`", "`labelrisk repro`"), bodies)


def _sources(contents: Contents) -> str:
    if len(contents.classes) > MOST_EMBEDDED:
        return OF_GOLD
    return SOURCES + (NOT_BUYING if contents.lacks_gold else BUYING) + NOISE


def _across(contents: Contents) -> str:
    """The label sources that vote together."""
    if len(contents.classes) > MOST_EMBEDDED:
        return "[gold]"
    return "[gold, embedded]" if contents.lacks_gold else "[embedded, embedded_gold_entropy]"


def _imported(path: str, columns: Columns) -> str:
    """How labels that the texts' own file holds become an annotator."""
    if not columns.labelled:
        return ""
    name = columns.labelled[0]
    slug = re.sub(r"[^a-z0-9_]+", "_", name.casefold()).strip("_") or "labels"
    return IMPORTED.format(slug=slug, path=quoted(path), text=quoted(columns.text.name), label=quoted(name))


def _corpus(path: str, columns: Columns) -> str:
    lines = ["corpus:", "  kind: files", f"  path: {quoted(path)}"]
    lines += [f"  text: {quoted(columns.text.name)}", f"  gold: {quoted(columns.gold.name)}"]
    split = "null               # split here, by the shares of prepare" if not columns.split else quoted(columns.split)
    lines.append(f"  split: {split}")
    if columns.slices:
        lines.append(f"  # slices: [{', '.join(map(quoted, columns.slices))}]")
    return "\n".join(lines) + "\n"
