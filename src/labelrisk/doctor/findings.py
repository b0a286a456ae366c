"""What a probe finds: a word first, what it is about, and what to do; and all probes at once, each within its time."""

from __future__ import annotations

import queue
import re
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from labelrisk.cache.redaction import HIDDEN, of_environment
from labelrisk.errors import LabelRiskError, shown
from labelrisk.text_tables import WIDTH, ascii_of, cut

State = Literal["ok", "look", "fault"]
OF_URL = re.compile(r"(?<=://)[^\s/@'\"]*:[^\s/@'\"]*@")  # a user and a password
QUERY = re.compile(r"(?<=[\w/])\?[\w%.~-]+=[^\s'\")]*")  # signatures and tokens
ABOUT = 12  # letters of what a line is about
LONGEST = 400  # letters of what others say


class Finding(NamedTuple):
    """ok: nothing to do; look: it may be meant so; fault: something will not work.  says: with what to do."""

    state: State
    about: str
    says: str


class Probe(NamedTuple):
    """What is looked at, and how; it raises LabelRiskError for what will not work."""

    about: str
    look: Callable[[], Sequence[Finding]]


def found_by(probes: Sequence[Probe], seconds: float) -> Iterator[Finding]:
    """The findings of all probes in their order; they run at the same time, and none longer than so many seconds.

    One that is still busy then is left to itself: it ends with the process.
    """
    deadline = time.monotonic() + seconds
    answers: list[queue.SimpleQueue[Sequence[Finding]]] = []
    for probe in probes:
        answer: queue.SimpleQueue[Sequence[Finding]] = queue.SimpleQueue()
        answers.append(answer)
        threading.Thread(target=lambda one=probe, to=answer: to.put(_looked(one)), daemon=True).start()
    for probe, answer in zip(probes, answers, strict=True):
        try:
            yield from answer.get(timeout=max(deadline - time.monotonic(), 0.01))
        except queue.Empty:
            yield Finding("look", probe.about, f"no answer within {seconds:g} s; try again, or with more --seconds")


def _looked(probe: Probe) -> Sequence[Finding]:
    try:
        return probe.look()
    except LabelRiskError as error:
        return [Finding("fault", probe.about, str(error))]
    except Exception as error:  # of any tool that is asked: one that can't be looked at hides no other
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        return [Finding("look", probe.about, f"can't be looked at ({shown(reason, 200)})")]


def lines_of(finding: Finding) -> list[str]:
    """A line of at most 80 columns, or several where there is more to say, in ASCII and without secrets."""
    start = f"{finding.state:<5}  {cut(finding.about, ABOUT):<{ABOUT}}  "
    return textwrap.wrap(
        ascii_of(without_secrets(finding.says)),
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_on_hyphens=False,
    )


def without_secrets(text: str) -> str:
    """A text without passwords and queries of URLs, and without what variables of the environment keep secret."""
    return shown(of_environment().text(QUERY.sub("", OF_URL.sub(f"{HIDDEN}@", text))), LONGEST)


def size(number: float) -> str:
    """Bytes as people read them, in powers of 1,000: 1.2 GB."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:,.1f} GB"
