"""params.yaml, changed by a command: comments, quotes and the order stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def changed_params(params: Path) -> Iterator[Any]:
    """Yield the content of the file to be changed in place; it is written, whole or not at all, at the end."""
    from ruamel.yaml import YAML

    from labelrisk.files import written_aside

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.representer.add_representer(
        type(None), lambda writer, value: writer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    content = yaml.load(params)
    yield content
    with written_aside(params) as temporary:
        yaml.dump(content, temporary)
