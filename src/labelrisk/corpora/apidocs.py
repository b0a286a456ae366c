"""Summary sentences of installed packages' API documentation, labelled by the subject area of their module."""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import re
import sysconfig
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from labelrisk.corpora.docstrings import Place, Summary, summaries
from labelrisk.corpora.duplicates import near_duplicates, normalised
from labelrisk.errors import LabelRiskError

STANDARD_LIBRARY = "python"
DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn"}  # where the package is not called as its import
MINIMUM_WORDS, MAXIMUM_WORDS = 4, 40
AREA_ROWS = 750  # large packages must not drown the small areas

# area -> import name -> patterns under the package's folder; a file belongs to the first area that matches it
AREAS: dict[str, dict[str, tuple[str, ...]]] = {
    "linear_algebra": {
        "numpy": ("linalg/*.py",),
        "scipy": ("linalg/*.py", "sparse/*.py", "sparse/linalg/**/*.py"),
        "torch": ("linalg/*.py",),
        "sympy": ("matrices/**/*.py",),
    },
    "statistics": {
        STANDARD_LIBRARY: ("statistics.py", "random.py"),
        "scipy": ("stats/**/*.py",),
        "torch": ("distributions/*.py",),
    },
    "signal_processing": {
        "numpy": ("fft/*.py",),
        "scipy": ("signal/**/*.py", "fft/**/*.py", "ndimage/*.py"),
        "torch": ("fft/*.py", "signal/**/*.py"),
        "PIL": ("ImageChops.py", "ImageEnhance.py", "ImageFilter.py", "ImageOps.py", "ImageTransform.py"),
    },
    "machine_learning": {
        "sklearn": ("*.py", "[!u]*/**/*.py"),  # all but utils
        "torch": ("nn/*.py", "nn/attention/*.py", "nn/modules/*.py", "nn/utils/*.py", "optim/*.py"),
    },
    "data_frames": {
        "pandas": (
            *("core/*.py", "core/arrays/**/*.py", "core/groupby/*.py", "core/indexes/*.py", "core/reshape/*.py"),
            *("core/strings/*.py", "core/tools/*.py", "core/window/*.py", "io/formats/style.py"),
        ),
    },
    "plotting": {
        "matplotlib": ("*.py", "axes/*.py", "projections/*.py", "tri/*.py"),
    },
    "graphs": {
        "networkx": ("**/*.py",),
        "scipy": ("sparse/csgraph/*.py",),
    },
    "files": {
        STANDARD_LIBRARY: (
            *("pathlib.py", "pathlib/*.py", "os.py", "posixpath.py", "ntpath.py", "genericpath.py", "shutil.py"),
            *("tempfile.py", "glob.py", "fnmatch.py", "fileinput.py", "filecmp.py", "_pyio.py"),
            *("zipfile.py", "zipfile/*.py", "tarfile.py", "gzip.py", "bz2.py", "lzma.py"),
        ),
        "fsspec": ("**/*.py",),
        "filelock": ("*.py",),
    },
    "networking": {
        STANDARD_LIBRARY: (
            *("http/*.py", "urllib/*.py", "xmlrpc/*.py", "wsgiref/*.py", "socket.py", "socketserver.py", "ssl.py"),
            *("ftplib.py", "smtplib.py", "imaplib.py", "poplib.py", "ipaddress.py"),
        ),
        "aiohttp": ("**/*.py",),
        "requests": ("**/*.py",),
        "urllib3": ("**/*.py",),
        "yarl": ("**/*.py",),
    },
    "concurrency": {
        STANDARD_LIBRARY: (
            *("asyncio/*.py", "concurrent/**/*.py", "multiprocessing/**/*.py"),
            *("threading.py", "queue.py", "sched.py", "selectors.py", "subprocess.py"),
        ),
        "anyio": ("**/*.py",),
        "joblib": ("*.py",),
    },
}

MARKUP = re.compile(r"[\\{}$`|]|%\(|::|>>>|https?:|\b_\w|\w__")
# sentences about the machinery of any class say nothing of their area
BOILERPLATE = re.compile(
    r"(returns?|creates?|makes?) (a|an|the) (\w+ )?copy|returns? (\w+ )*(repr|representation|name|type|hash)\b"
    r"|(internal|helper|private|alias|see|same as|wrapper|base class|abstract base|mixin|dummy|placeholder)\b"
    r"|\w+ (helper|this (method|function|class))\b|this (is )?(an? )?(internal|abstract|private)|not implemented"
    r"|(custom |test )?decorator\b|.*\b(pickl\w+|unpickl\w+|backwards? compatib\w+|subclass\w*|docstrings?)\b",
    re.IGNORECASE,
)


def apidocs_rows() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the corpus: `text, gold` in a fixed order, and the `packages` it is from and the counts of `dropped`.

    Raises LabelRiskError where a package is not installed.
    """
    packages = sorted({name for places in AREAS.values() for name in places} - {STANDARD_LIBRARY})
    roots = {STANDARD_LIBRARY: Path(sysconfig.get_path("stdlib"))} | {name: _folder(name) for name in packages}
    places = [Place(area, roots[name], globs) for area, named in AREAS.items() for name, globs in named.items()]
    rows, dropped = kept(summaries(places))
    versions = {name: version(name) for name in sorted(DISTRIBUTIONS.get(name, name) for name in packages)}
    return rows, {"packages": {STANDARD_LIBRARY: platform.python_version()} | versions, "dropped": dropped}


def kept(found: Sequence[Summary]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Keep usable, distinct sentences: `text, gold` in the order given, and how many rows were dropped by reason.

    Of near-duplicates in one area the first stays; near-duplicates across areas have no gold and none stays. At most
    AREA_ROWS of an area stay, drawn by a hash of the text: a new package version changes the draw of few others.
    """
    rows = pd.DataFrame({"text": [item.text for item in found], "gold": [item.area for item in found]})
    reason = rows["text"].map(unusable)
    usable = rows[reason == ""]
    # exact repeats are many and cheap to find; they go first so that the comparison of pairs stays small
    same = usable["text"].map(normalised)
    shared = usable.groupby(same)["gold"].transform("nunique") > 1
    reason[shared[shared].index] = "the same in two areas"
    repeated = usable.assign(same=same)[~shared].duplicated("same")
    reason[repeated[repeated].index] = "the same in one area"
    distinct = rows[reason == ""]
    group = near_duplicates(distinct["text"].tolist())
    mixed = distinct.groupby(group)["gold"].transform("nunique") > 1
    reason[mixed[mixed].index] = "nearly the same in two areas"
    again = distinct.assign(group=group)[~mixed].duplicated("group")
    reason[again[again].index] = "nearly the same in one area"
    lottery = distinct["text"].map(_digest)[reason == ""]
    late = lottery.groupby(distinct["gold"]).rank() > AREA_ROWS
    reason[late[late].index] = "more than an area's share"
    dropped = {str(name): int(count) for name, count in reason[reason != ""].value_counts().sort_index().items()}
    return rows[reason == ""].reset_index(drop=True), dropped


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def unusable(text: str) -> str:
    """Why a sentence can't be used, '' where it can."""
    words = len(re.findall(r"[A-Za-z]{2,}|\b[aA]\b", text))
    if not text:
        return "no sentence"
    if "deprecat" in text.lower():
        return "deprecation"
    if MARKUP.search(text) or not text[0].isalpha():
        return "markup or code"
    if text.endswith((":", ",", ";")):
        return "unfinished"
    if BOILERPLATE.match(text):
        return "boilerplate"
    if words < MINIMUM_WORDS:
        return "too short"
    return "too long" if len(text.split()) > MAXIMUM_WORDS else ""


def _folder(package: str) -> Path:
    """The folder of an installed package; it is found, not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        name = DISTRIBUTIONS.get(package, package)
        raise LabelRiskError(
            f"the corpus 'apidocs' reads the package '{name}', which is not installed; run `make setup`"
        )
    return Path(spec.origin).parent
