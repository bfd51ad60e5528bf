# SPDX-License-Identifier: Apache-2.0
"""What the network is asked for. Squared error alone shrinks motion: eyes stay open.

Per sample and expression: relative error, direction (cosine) and travel (how far along the artist's
way), all with weights that count vertices where surfaces touch up to five times.
"""

from __future__ import annotations

import dataclasses

import torch

from . import slots
from .network import Encoding

_CONTACT = 4.0
_FLOOR = 0.006  # squared displacement below which an expression does not touch a sample


@dataclasses.dataclass
class Weights:
    direction: float = 0.5
    travel: float = 0.3
    marks_first: float = 1.5
    marks: float = 3.0
    canonical: float = 0.4


def slot_importance() -> torch.Tensor:
    """(K,) how much each expression counts: blinks most, then visemes."""
    weight = torch.ones(slots.COUNT)
    for name, i in slots.INDEX.items():
        if "Blink" in name:
            weight[i] = 3.0
        elif name.startswith("viseme_") or name == "jawOpen":
            weight[i] = 1.5
        elif name.startswith("eyeLook"):
            weight[i] = 0.7
    return weight


def mark_error(predicted: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor, spread):
    """Mean distance per axis in landmark spreads."""
    error = ((predicted - truth) / spread).abs() * weight
    return error.sum() / weight.sum() / 3


def spread_of(marks: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """(B,1,1) root mean square distance of the known landmarks from their mean, per axis."""
    total = weight.sum(1, keepdim=True)
    center = (marks * weight).sum(1, keepdim=True) / total
    squares = ((marks - center) ** 2 * weight).sum((1, 2), keepdim=True)
    return torch.sqrt(squares / (3 * total))


def landmark_loss(encoding: Encoding, batch: dict[str, torch.Tensor], weights: Weights):
    """(loss, {name: value}) of the landmark stages alone."""
    known = batch["mark_weight"].unsqueeze(2)
    spread = spread_of(batch["marks"], known)
    first = mark_error(encoding.first_marks, batch["marks"], known, spread)
    last = mark_error(encoding.marks, batch["marks"], known, spread)
    total = weights.marks_first * first + weights.marks * last
    return total, spread, {"marks1": first.item(), "marks": last.item()}


def motion_loss(
    raw: torch.Tensor,  # (B,N,3,K)
    encoding: Encoding,
    batch: dict[str, torch.Tensor],
    spread: torch.Tensor,
    slot_scale: torch.Tensor,
    importance: torch.Tensor,
    weights: Weights,
):
    """(loss, {name: value}) of the offsets and of the canonical places."""
    # Sums over points and axes of the raw fields; units are divided out of the small sums behind,
    # and |p - t|^2 is put together from its terms: the fields are the largest tensors of a step.
    truth = batch["offsets"]
    points = truth.shape[1]
    weight = 1 + _CONTACT * batch["contact"]
    weight = (weight / weight.sum(1, keepdim=True)).view(-1, points, 1, 1)
    weighted = raw * weight
    unit = (spread * slot_scale).squeeze(1)  # B,K
    reach = (encoding.scale / spread).squeeze(1)  # B,1
    with torch.no_grad():
        size = (truth * truth * weight).sum((1, 2)) / unit**2
    along = (weighted * truth).sum((1, 2)) * reach / unit
    reached = (weighted * raw).sum((1, 2)) * reach**2
    error = (reached - 2 * along + size).clamp(min=0)
    count = batch["slot_weight"] * importance
    relative = error / (size + _FLOOR)
    moving = (size > 5e-3).float() * count
    cosine = along / torch.sqrt(size * reached + 1e-8)
    travel = (along / (size + 1e-6)).clamp(-1, 3)
    fit = ((torch.sqrt(relative + 1e-3) + 0.5 * relative.clamp(max=4)) * count).sum() / count.sum()
    direction = ((1 - cosine) * moving).sum() / moving.sum().clamp(min=1)
    distance = ((travel - 1) ** 2 * moving).sum() / moving.sum().clamp(min=1)
    known = batch["canonical_weight"].unsqueeze(2)
    known = known * torch.exp(-(batch["canonical"] ** 2).sum(2, keepdim=True) / 18)
    place = ((encoding.canonical - batch["canonical"]).abs() * known).sum() / known.sum()
    total = fit + weights.direction * direction + weights.travel * distance
    total = total + weights.canonical * place
    report = {
        "relative": (torch.sqrt(relative) * count).sum().item() / count.sum().item(),
        "cosine": 1 - direction.item(),
        "travel": distance.item(),
        "place": place.item(),
    }
    return total, report
