"""AdamW over parameters in bf16 or fp32, with linear warm-up and decay of the learning rate, and clipped gradients.

Source: Loshchilov and Hutter 2019 (https://arxiv.org/abs/1711.05101); betas, epsilon, clipping and which parameters
decay are the defaults of transformers.Trainer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from labelrisk.errors import LabelRiskError

BETAS = (0.9, 0.999)
EPSILON = 1e-8
CLIP = 1.0  # largest norm of all gradients together
# elements of a group on the CPU: its moments stay in the cache between casting, updating and casting back; an
# accelerator has one group of all, since each costs launches
GROUP = 2**20


@dataclass
class _Part:
    """A flat slice of a parameter, its fp32 master (itself where the parameter is fp32), and its moments."""

    parameter: nn.Parameter
    start: int
    target: Tensor
    master: Tensor
    mean: Tensor
    square: Tensor
    steps: Tensor

    @property
    def gradient(self) -> Tensor:
        assert self.parameter.grad is not None
        return self.parameter.grad.reshape(-1)[self.start : self.start + len(self.master)]


def learning_rate(step: int, steps: int, warmup: int, peak: float) -> float:
    """Rate of the 0-based `step` of `steps`: up linearly over `warmup` steps, then down linearly to 0."""
    if step < warmup:
        return peak * step / max(1, warmup)
    return peak * max(0.0, (steps - step) / max(1, steps - warmup))


class AdamW:
    """The optimiser's state; matrices decay, vectors (biases and norms) don't."""

    decay: float = 1.0  # what a decaying weight without any gradient has been multiplied by

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float) -> None:
        self._weight_decay = weight_decay
        self._parameters = list(parameters)
        self._groups: list[tuple[bool, list[_Part]]] = []
        device = self._parameters[0].device
        most = GROUP if device.type == "cpu" else sum(parameter.numel() for parameter in self._parameters)
        for decays in (True, False):
            group: list[_Part] = []
            for parameter in self._parameters:
                if (parameter.ndim >= 2) == decays:
                    for part in _parts(parameter, most):
                        if group and sum(len(each.master) for each in group) + len(part.master) > most:
                            self._groups.append((decays, group))
                            group = []
                        group.append(part)
            if group:
                self._groups.append((decays, group))
        largest = max(sum(len(part.master) for part in group) for _, group in self._groups)
        self._scratch = torch.empty(largest, device=device)
        self._norm = torch.zeros((), device=device)

    def step(self, rate: float) -> None:
        """Update all parameters that have a gradient, and drop the gradients; none is updated once one was not finite.

        Nothing is read from the device, so that an accelerator need not wait for the next launch.
        """
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        norm = torch.stack(torch._foreach_norm(gradients)).float().norm()
        self._norm = torch.maximum(self._norm, norm)  # stays what is no number
        divisor = (norm / CLIP).clamp(min=1.0)
        broken = (~self._norm.isfinite()).float()
        for decays, group in self._groups:
            present = [part for part in group if part.parameter.grad is not None]
            if present:
                self._update(present, rate, self._weight_decay if decays else 0.0, divisor, broken)
        self.decay *= 1 - rate * self._weight_decay
        for parameter in self._parameters:
            parameter.grad = None

    def check(self) -> None:
        """Raise LabelRiskError when a gradient was not finite; waits for the device."""
        norm = float(self._norm)
        if not math.isfinite(norm):
            raise LabelRiskError(f"training diverged (the gradients' norm is {norm}); lower train.learning_rate")

    def _update(self, parts: list[_Part], rate: float, weight_decay: float, divisor: Tensor, broken: Tensor) -> None:
        gradients = [part.gradient for part in parts]
        narrow = [at for at, gradient in enumerate(gradients) if gradient.dtype != torch.float32]
        if narrow:
            sizes = [len(gradients[at]) for at in narrow]
            wide = torch.split(self._scratch[: sum(sizes)], sizes)
            torch._foreach_copy_(wide, [gradients[at] for at in narrow])
            for at, gradient in zip(narrow, wide, strict=True):
                gradients[at] = gradient
        adamw(
            [part.master for part in parts],
            gradients,
            [part.mean for part in parts],
            [part.square for part in parts],
            [],
            [part.steps for part in parts],
            fused=True,
            grad_scale=divisor,
            found_inf=broken,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=rate,
            weight_decay=weight_decay,
            eps=EPSILON,
            maximize=False,
        )
        if narrow:
            torch._foreach_copy_([parts[at].target for at in narrow], [parts[at].master for at in narrow])


def _parts(parameter: nn.Parameter, most: int) -> list[_Part]:
    """Cut a parameter into parts of at most so many elements."""
    flat = parameter.detach().view(-1)
    parts, start = [], 0
    for target in torch.split(flat, most):
        master = target if target.dtype == torch.float32 else target.float()
        moments = torch.zeros_like(master), torch.zeros_like(master)
        parts.append(_Part(parameter, start, target, master, *moments, torch.zeros((), device=target.device)))
        start += len(target)
    return parts
