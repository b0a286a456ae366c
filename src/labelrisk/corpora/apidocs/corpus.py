"""The corpus of kind `apidocs`: sentences of installed packages' API documentation, labelled by their subject area."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from labelrisk.corpora.apidocs.docstrings import Summary, summaries
from labelrisk.corpora.apidocs.subject_areas import places, versions
from labelrisk.corpora.raw_rows import RawRows
from labelrisk.settings.section import Section

MINIMUM_WORDS, MAXIMUM_WORDS = 4, 40
AREA_ROWS = 500  # large packages must not drown the small areas

# words of any documentation: a sentence needs two others for a reader to tell its area
GENERAL_WORDS = """
able about above abstract access according across actual add added after all allow allowed allows already also an and
another any appropriate are argument arguments array arrays associated at attribute attributes available base based be
been before being below between both but by call callable called calls can change check checks class classes clear
compute computes construct contain containing contains context convert converts copy correct create created creates
current currently custom data default define defined defines delete depending determine determines dict dictionary
different do does dtype each either element elements empty ensure error every exactly example exception existing
exists expected false first follow following for format from function functions generate get gets given gives handle
has have helper how if implementation implements in including indicate indicates information initial initialize input
inputs inside instance instances instead int integer integers interface internal into invalid is it item items
iterable iterate iterator its itself key keys last length like list lists make makes manager map mapping may method
methods missing mode modify module more multiple must name names necessary need needed needs new next no none not now
number numbers object objects of old on once one only operation operations option optional options or order other
otherwise out output outputs over override own parameter parameters part particular pass passed perform performs
position possible previous process properties property provide provided provides python raise raised raises range read
remove removes represent representation represented representing represents required reset result results return
returned returning returns run same second see select self sequence set sets setting settings several should simple
single size some specific specified specify start state step stop store stored str string strings subclass such take
takes than that the their them then there these they this those to true tuple type types unique until up update
updates use used user uses using valid validate value values variable variables version via want was way we what when
where whether which while will with without wrap wrapper would yield you your
"""
GENERAL = frozenset(GENERAL_WORDS.split())
MARKUP = re.compile(r"[\\{}$`|]|%\(|::|>>>|https?:|\b_\w|\w__")
# sentences about the machinery of any class say nothing of their area
BOILERPLATE = re.compile(
    r"(returns?|creates?|makes?) (a|an|the) (\w+ )?copy|returns? (\w+ )*(repr|representation|name|type|hash)\b"
    r"|(internal|helper|private|alias|see|same as|wrapper|base class|abstract base|mixin|dummy|placeholder)\b"
    r"|\w+ (helper|this (method|function|class))\b|this (is )?(an? )?(internal|abstract|private)|not implemented"
    r"|(custom |test )?decorator\b|.*\b(pickl\w+|unpickl\w+|backwards? compatib\w+|subclass\w*|docstrings?)\b",
    re.IGNORECASE,
)


class ApidocsCorpus(Section):
    """Summary sentences of installed packages' API documentation, labelled by subject area."""

    kind: Literal["apidocs"]  # sentences of the installed packages' API documentation
    path: str  # the lock file that pins the packages: DVC prepares again when it changes
    slices: Annotated[tuple[Literal["package"], ...], Field(max_length=1)] = ()  # `[package]`, or none

    def rows(self, most: int | None = None) -> tuple[Iterator[RawRows], dict[str, Any]]:
        """See RawCorpus."""
        rows, origin = apidocs_rows()
        rows = rows[:most]
        slices: dict[str, Any] = {str(name): rows[name].tolist() for name in self.slices}
        numbers = np.arange(1, len(rows) + 1)
        raw = RawRows(rows["text"].tolist(), rows["gold"].tolist(), None, slices, "apidocs, row", numbers)
        return iter([raw]), {"corpus": "apidocs"} | origin


def apidocs_rows() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the corpus: `text, gold, package` in a fixed order, and the `packages` and the counts of `dropped`.

    Raises LabelRiskError where a package is not installed.
    """
    found = summaries(places())
    rows, dropped = kept(found)
    packages = {item.text: item.package for item in reversed(found)}  # of copies the first is kept
    rows["package"] = rows["text"].map(packages)
    return rows, {"packages": versions(), "dropped": dropped}


def kept(found: Sequence[Summary]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Keep usable, distinct sentences: `text, gold` in the order given, and how many rows were dropped by reason.

    Of near-duplicates in one area the first stays; near-duplicates across areas have no gold and none stays. At most
    AREA_ROWS of an area stay, drawn by a hash of the text: a new package version changes the draw of few others.
    """
    # here, not above: it needs scipy, and every stage reads params.yaml, which holds a corpus
    from labelrisk.corpora.apidocs.near_duplicates import near_duplicates, normalised

    rows = pd.DataFrame({"text": [item.text for item in found], "gold": [item.area for item in found]})
    reason = rows["text"].map(unusable)
    usable = rows[reason == ""]
    # exact repeats are many and cheap to find; they go first so that the comparison of pairs stays small
    same = usable["text"].map(normalised)
    shared = usable.groupby(same)["gold"].transform("nunique") > 1
    reason[shared[shared].index] = "the_same_in_two_areas"
    repeated = usable.assign(same=same)[~shared].duplicated("same")
    reason[repeated[repeated].index] = "the_same_in_one_area"
    distinct = rows[reason == ""]
    group = near_duplicates(distinct["text"].tolist())
    mixed = distinct.groupby(group)["gold"].transform("nunique") > 1
    reason[mixed[mixed].index] = "nearly_the_same_in_two_areas"
    again = distinct.assign(group=group)[~mixed].duplicated("group")
    reason[again[again].index] = "nearly_the_same_in_one_area"
    lottery = distinct["text"].map(_digest)[reason == ""]
    late = lottery.groupby(distinct["gold"]).rank() > AREA_ROWS
    reason[late[late].index] = "more_than_an_areas_share"
    dropped = {str(name): int(count) for name, count in reason[reason != ""].value_counts().sort_index().items()}
    return rows[reason == ""].reset_index(drop=True), dropped


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def unusable(text: str) -> str:
    """Why a sentence can't be used, '' where it can."""
    words = len(re.findall(r"[A-Za-z]{2,}|\b[aA]\b", text))
    if not text:
        return "no_sentence"
    if "deprecat" in text.lower():
        return "deprecation"
    if MARKUP.search(text) or not text[0].isalpha():
        return "markup_or_code"
    if text.endswith((":", ",", ";")):
        return "unfinished"
    if BOILERPLATE.match(text):
        return "boilerplate"
    if words < MINIMUM_WORDS:
        return "too_short"
    if len(set(re.findall(r"[a-z]{2,}", text.lower())) - GENERAL) < 2:
        return "says_nothing_particular"
    return "too_long" if len(text.split()) > MAXIMUM_WORDS else ""
