"""Students that were trained: loaded from the folders that the stages write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def load_student(folder: Path) -> PreTrainedModel:
    """A finished student, in the type that it was saved in, on the accelerator where there is one.

    Raises LabelRiskError when it can't be loaded.
    """
    from transformers import AutoModelForSequenceClassification

    from labelrisk.encoders.attention import attend_so
    from labelrisk.encoders.devices import device
    from labelrisk.encoders.loading import check_weights, quiet, worded

    with quiet(), worded(str(folder), None):
        loaded: Any
        loaded, report = AutoModelForSequenceClassification.from_pretrained(
            str(folder), dtype="auto", use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
        check_weights(loaded, report["missing_keys"])
    student: PreTrainedModel = loaded.eval().to(device())
    if student.device.type == "cpu":
        attend_so(student)
    return student
