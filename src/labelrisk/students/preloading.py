"""What training imports: importing this module imports it all, ahead of the first student."""

from __future__ import annotations

import os

from labelrisk.encoders.memory_and_cores import uncollected

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # as share_cores, before torch
with uncollected():
    import dvclive  # noqa: F401
    import transformers.models.auto.modeling_auto
    import transformers.models.bert.modeling_bert
    import transformers.models.roberta.modeling_roberta  # noqa: F401

    import labelrisk.students.encoders
    import labelrisk.students.training  # noqa: F401
