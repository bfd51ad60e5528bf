# SPDX-License-Identifier: Apache-2.0
"""What the network is asked for. Squared error alone shrinks motion: eyes stay open.

Per sample and expression: relative error, direction (cosine), amplitude, and how far rims of lids
and lips go along the artist's way, all with weights that count vertices where surfaces touch up to
five times; that neighbours differ as the artist's do; that a mirrored face moves mirrored; that
vowels differ as much as the artist's (their Gram matrix); and that still parts stay still.
"""

from __future__ import annotations

import dataclasses

import torch

from . import slots
from .network import Encoding

_CONTACT = 4.0
_MARGIN_WEIGHT = (4.0, 10.0, 4.0, 4.0)  # upper lid, lower lid, upper lip, lower lip
_VOWELS = [slots.INDEX["viseme_" + v] for v in ("aa", "E", "ih", "oh", "ou")]
_MIRROR = slots.mirror_permutation().tolist()
_FLIP = [[-1.0], [1.0], [1.0]]
_FLOOR = 0.006  # squared displacement below which an expression does not touch a sample


@dataclasses.dataclass
class Weights:
    fit: float = 0.5
    direction: float = 1.0
    amplitude: float = 0.25
    travel: float = 0.4
    vowels: float = 1.0
    spill: float = 0.3
    uneven: float = 0.25
    lopsided: float = 0.25
    marks_first: float = 1.5
    marks_middle: float = 2.5
    marks: float = 5.0
    canonical: float = 0.4
    margins: float = 2.0


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


def margin_loss(
    logits: torch.Tensor, batch: dict[str, torch.Tensor]
) -> tuple[torch.Tensor, dict[str, float]]:
    """Cross entropy of the margin outputs (B,N,4); rims are rare, so they count more."""
    rare = logits.new_tensor(_MARGIN_WEIGHT)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, batch["margins"], pos_weight=rare
    )
    return loss, {"margins": loss.item()}


def landmark_loss(encoding: Encoding, batch: dict[str, torch.Tensor], weights: Weights):
    """(loss, {name: value}) of the landmark stages alone."""
    known = batch["mark_weight"].unsqueeze(2)
    spread = spread_of(batch["marks"], known)
    first = mark_error(encoding.first_marks, batch["marks"], known, spread)
    middle = mark_error(encoding.middle_marks, batch["marks"], known, spread)
    last = mark_error(encoding.marks, batch["marks"], known, spread)
    total = weights.marks_first * first + weights.marks_middle * middle + weights.marks * last
    report = {"marks1": first.item(), "marks2": middle.item(), "marks": last.item()}
    return total, spread, report


def _per_point(values: torch.Tensor) -> torch.Tensor:
    """(B,N,K) sum over the axes of (B,N,3,K)."""
    return values.sum(2)


def _over(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Mean of `values` where `weight` counts; 0 where it counts nowhere."""
    return (values * weight).sum() / weight.sum().clamp(min=1e-6)


def _gram(field: torch.Tensor, root: torch.Tensor) -> torch.Tensor:
    """(B,V,V) cosines between the vowels of (B,N,3,K); `root` (B,N,1,1) weighs the points."""
    vowels = (field[..., _VOWELS] * root).flatten(1, 2)
    vowels = vowels / (vowels.norm(dim=1, keepdim=True) + 1e-4)
    return torch.matmul(vowels.transpose(1, 2), vowels)


def motion_loss(
    raw: torch.Tensor,  # (B,N,3,K)
    encoding: Encoding,
    batch: dict[str, torch.Tensor],
    spread: torch.Tensor,
    slot_scale: torch.Tensor,
    importance: torch.Tensor,
    weights: Weights,
) -> tuple[torch.Tensor, dict[str, float]]:
    """(loss, {name: value}) of the offsets and of the canonical places.

    Everything is counted in landmark spreads and in slot_scale, so that no expression is small.
    """
    predicted = raw * (encoding.scale / spread).unsqueeze(3)
    truth = batch["offsets"] / (spread.unsqueeze(3) * slot_scale)
    margins = batch["margins"]
    weight = 1 + _CONTACT * torch.maximum(batch["contact"], margins.amax(2))
    weight = (weight / weight.sum(1, keepdim=True)).unsqueeze(2)  # B,N,1
    along = _per_point(predicted * truth)
    squares = _per_point(truth * truth)
    reached = _per_point(predicted * predicted)
    size, got = (squares * weight).sum(1), (reached * weight).sum(1)  # B,K
    shared = (along * weight).sum(1)
    error = (got - 2 * shared + size).clamp(min=0)
    count = batch["slot_weight"] * importance
    moving = (size > 5e-3).float() * count
    relative = error / (size + _FLOOR)
    cosine = shared / torch.sqrt(size * got + 1e-8)
    length = 0.5 * (torch.log(got + 1e-4) - torch.log(size + 1e-4))
    # how far each rim goes the artist's way, where the artist moves it notably
    rims = torch.matmul(margins.transpose(1, 2), torch.cat([along, squares], 2))  # B,4,2K
    gone, asked = rims.chunk(2, 2)
    travel = (gone / (asked + 1e-4)).clamp(-1, 3)
    notable = (asked > 0.1 * asked.amax(1, keepdim=True) + 1e-2).float() * moving.unsqueeze(1)
    # what the artist never moves
    still = batch["still"].unsqueeze(2)
    spill = (torch.sqrt(reached + 1e-8) * still).sum(1)
    spill = spill / (torch.sqrt(squares + 1e-8).sum(1) + 1.0)
    # neighbours differ as the artist's do: what tears, folds and ragged rims get wrong
    half = truth.shape[1] // 2
    both = (weight[:, :half] + weight[:, half:]) * batch["joined"].unsqueeze(2)
    apart = truth[:, :half] - truth[:, half:]
    off = predicted[:, :half] - predicted[:, half:] - apart
    uneven = (_per_point(off * off) * both).sum(1)
    uneven = uneven / ((_per_point(apart * apart) * both).sum(1) + 0.1 * _FLOOR)
    # the second half of the batch is the first half in a mirror
    first, second = predicted.chunk(2)
    apart = first - second[..., _MIRROR] * predicted.new_tensor(_FLIP)
    first_weight, first_size = weight[: len(first)], size[: len(first)]
    lopsided = (_per_point(apart * apart) * first_weight).sum(1) / (first_size + _FLOOR)
    root = torch.sqrt(weight).unsqueeze(3)
    spoken = (count[:, _VOWELS].amin(1) > 0).float()
    alike = ((_gram(predicted, root) - _gram(truth, root)) ** 2).mean((1, 2))
    known = batch["canonical_weight"].unsqueeze(2)
    known = known * torch.exp(-(batch["canonical"] ** 2).sum(2, keepdim=True) / 18)
    terms = {
        "fit": _over(torch.sqrt(relative + 1e-3), count),
        "direction": _over(1 - cosine, moving),
        "amplitude": _over(length.clamp(-2, 2) ** 2, moving),
        "travel": _over((travel - 1) ** 2, notable),
        "vowels": _over(alike, spoken),
        "spill": _over(spill, count),
        "uneven": _over(torch.sqrt(uneven + 1e-3), count),
        "lopsided": _over(torch.sqrt(lopsided + 1e-3), count[: len(lopsided)]),
        "canonical": _over((encoding.canonical - batch["canonical"]).abs(), known),
    }
    total = sum(getattr(weights, name) * value for name, value in terms.items())
    return total, {name: value.item() for name, value in terms.items()}
