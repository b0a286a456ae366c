"""What a student logged, as the files that DVC shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dvclive import Live

Logged = list[tuple[int, dict[str, float]]]  # step, and values by name


def write_logs(logged: Logged, folder: Path) -> None:
    """Write them as dvclive does while training."""
    with _live(folder) as live:
        for step, metrics in logged:
            live.step = step
            for name, value in metrics.items():
                live.log_metric(name, value)


def _live(folder: Path) -> Live:
    """A dvclive logger that writes to `folder` and looks at nothing else.

    As it comes, Live makes a DVC repository where there is none, fails in a git repository without commits, and takes
    half a second to open it; as part of a DVC stage it needs none of this.
    """
    from dvclive import Live

    class Logger(Live):  # type: ignore[misc]
        def _init_dvc(self) -> Any:
            self._dvc_file = "dvc.yaml"

    return Logger(dir=str(folder), dvcyaml=None, save_dvc_exp=False)
