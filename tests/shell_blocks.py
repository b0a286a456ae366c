"""The shell blocks of a page: what a reader would paste, and what of it a test runs.

A block is fenced by ```sh.  The line before it may be a comment that says why no test runs it, or that it is slow:

    <!-- not run: needs an API key -->
    <!-- slow -->

Blocks in ```text, ```yaml and the like are to be read, not pasted.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^(?:<!-- (?P<mark>[^\n]+?) -->\n)?```sh\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = "not run: "


@dataclass(frozen=True)
class Block:
    """A block of commands: the line where it begins, its text, why it is not run (else empty), whether it is slow."""

    line: int
    text: str
    not_run: str = ""
    slow: bool = False

    @property
    def commands(self) -> list[str]:
        """Its commands, each on one line and without comments."""
        joined = self.text.replace("\\\n", " ")
        lines = (re.sub(r"(^|\s+)#.*$", "", line).strip() for line in joined.splitlines())
        return [" ".join(line.split()) for line in lines if line]


def blocks_of(page: Path) -> list[Block]:
    """All shell blocks of a page, in their order.

    Raises ValueError for a mark that means nothing.
    """
    text = page.read_text()
    found = []
    for match in BLOCK.finditer(text):
        mark = match["mark"] or ""
        if mark and mark != "slow" and not mark.startswith(NOT_RUN):
            raise ValueError(f"{page.name}: '{mark}' before a shell block is neither 'slow' nor '{NOT_RUN}...'")
        line = text.count("\n", 0, match.start("text"))
        found.append(Block(line, match["text"], mark.removeprefix(NOT_RUN) if mark != "slow" else "", mark == "slow"))
    return found


def run_blocks(blocks, folder, environment, timeout):
    """Run blocks one after the other in one shell, as a reader does: what one exports holds in the next.

    Returns what was printed; a command that fails ends it with an AssertionError that shows the last lines.
    """
    script = "\n".join(f"echo '### line {block.line}'\n{block.text}" for block in blocks if not block.not_run)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
