"""The section `share`: what may leave this machine with `dvc push` and `git push`."""

from __future__ import annotations

from labelrisk.settings.section import Section


class ShareSettings(Section):
    """texts: whether others may read the texts; without, labels files hold no reply of a model, which may quote one.

    What `dvc push` sends stands in dvc.yaml, as `push` of each output: DVC takes no parameter there.  `labelrisk share`
    writes both.
    """

    texts: bool = True  # whether others may read the texts
