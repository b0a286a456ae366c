"""The command line: the stages in stages/ and the commands in commands/, found by their files."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from labelrisk.commands import _last_words
from labelrisk.commands._parsers import parser_of
from labelrisk.errors import LabelRiskError
from labelrisk.interrupts import end_at_once, ending_as_interrupt
from labelrisk.printing import ReaderGone, printable, printable_streams
from labelrisk.system_errors import sentence_of

PARAMS = Path("params.yaml")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a stage or a command.

    Returns 0 when it did its work, 1 with one sentence when it could not, 130 or 143 when it was asked to end, and 70
    with a traceback for a fault of labelrisk itself.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    with printable_streams(), ending_as_interrupt() as ending:
        try:
            _run(words)
            sys.stdout.flush()  # here, so that what can't be printed is told
        except ReaderGone:
            return 0
        except KeyboardInterrupt:
            end_at_once()
            _say(words, "interrupted; what was done is kept, run again to go on", before="\n")
            return ending.exit_code
        except LabelRiskError as error:
            _say(words, str(error))
            return 1
        except Exception as error:
            if sentence := sentence_of(error):
                _say(words, sentence)
                return 1
            traceback.print_exc()
            _say(words, "this is a fault of labelrisk itself; please report it, with the lines above")
            return 70
    return 0


def _run(words: Sequence[str]) -> None:
    options = vars(parser_of(" ".join(words[:1])).parse_args(words))
    run: Callable[..., None] = options.pop("run")
    run(PARAMS, **options)


def _say(words: Sequence[str], sentence: str, before: str = "") -> None:
    """Write one sentence on standard error, on one line."""
    line = printable(f"labelrisk {' '.join(words[:1])}: {sentence}", kept="")
    print(f"{before}{line}", file=sys.stderr)
    _last_words.leave(line)
