"""The section `engine`: where many tasks are computed, and how many at once; never what comes out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from labelrisk.settings.section import Count, Section


class EngineSettings(Section):
    """The processes of this machine, or a Ray cluster; a change of it makes nothing out of date."""

    kind: Literal["local", "ray"] = "local"  # local: processes of this machine; ray: a cluster, `labelrisk[ray]`
    address: str | None = None  # of a Ray cluster (host:6379, ray://host:10001); null: $RAY_ADDRESS, or one is started
    jobs: Count | None = None  # tasks at once; null: by cores and memory
    gpus: Annotated[float, Field(ge=0)] = 0  # of one student, may be a fraction; 0: none is asked for

    @model_validator(mode="after")
    def _whole_above_one(self) -> EngineSettings:
        if self.gpus > 1 and self.gpus != int(self.gpus):
            raise ValueError(f"gpus is {self.gpus}, but above 1 it must be a whole number; round it")
        return self

    @model_validator(mode="after")
    def _gpus_of_a_cluster(self) -> EngineSettings:
        if self.gpus and self.kind == "local":
            raise ValueError(
                "gpus is asked of a cluster, and the GPU of this machine is used anyway; leave it out, or "
                "set kind: ray, which uses all of several"
            )
        return self
