"""What an analysis is: a function of the study, and nothing else, that returns the files it adds.

A new analysis is a new file here with such a function, its name in kinds.py, and its files in dvc.yaml, at the stage
evaluate.  No analysis imports another: what two of them need is a function of their arguments in the rooms below
(`comparison/`, `statistics/`), called by both, or a property of Study where it is about the study alone.  Such a
function of a Study may be remembered with functools.lru_cache(maxsize=1), for a study can't change and equals itself
alone.  Random draws take their seeds from the settings, so that no analysis moves another's numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from labelrisk.comparison.outputs import Output
from labelrisk.comparison.study import Study

Outputs = Mapping[str, Output]  # by path: `metrics/<name>.json`, `plots/<name>.csv` or `plots/<name>.png`
Analysis = Callable[[Study], Outputs]
