# SPDX-License-Identifier: Apache-2.0
"""The network: find the face, bring it into a canonical frame, move each vertex.

1. *Where is the face?* Three stages, each a point encoder with max-pooling (so neither order nor
   number of vertices matters), predict landmarks; each stage looks closer, in the frame of the
   landmarks before it. The second and third pass over the mesh ROUNDS times, as the first guess
   may be a whole face off on a stranger. Offsets are predicted in the last frame, so they move and
   grow with the head.
2. *What is this vertex?* A per-vertex network sees position, normal, the landmarks around it and
   codes of the face's regions, and names the place on a canonical face (an auxiliary output).
3. *How does it move?* One linear layer holds all expressions. A condition is folded into its
   weights before it meets the vertices, so many expressions cost about as much as one.
"""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import nn

from . import margins, slots

ROUNDS = 2  # how often the second and third stage look
REGIONS = 4  # left eye, right eye, nose, mouth
_REGION_REACH = (0.65, 0.65, 0.7, 0.85)  # in landmark spreads
_FAR = 8.0
_TINY = 1e-9
_MARGIN_WIDTH = 48


def _layers(*widths: int, last: bool = False) -> nn.Sequential:
    """Linear layers with ReLU between them and, if `last`, after them."""
    parts: list[nn.Module] = []
    for i, (a, b) in enumerate(zip(widths[:-1], widths[1:])):
        parts.append(nn.Linear(a, b))
        if last or i < len(widths) - 2:
            parts.append(nn.ReLU())
    return nn.Sequential(*parts)


@dataclasses.dataclass
class Encoding:
    """What one pass over the mesh gives; B meshes of N vertices."""

    features: torch.Tensor  # (B,N,W)
    scale: torch.Tensor  # (B,1,1) length of the canonical unit on this mesh
    first_marks: torch.Tensor  # (B,L,3)
    middle_marks: torch.Tensor  # (B,L,3) after the first round
    marks: torch.Tensor  # (B,L,3)
    canonical: torch.Tensor  # (B,N,3)


@dataclasses.dataclass
class _Look:
    """What a round of the second and third stage saw."""

    marks: torch.Tensor  # (B,L,3) in the frame of the points
    near: torch.Tensor  # (B,160)
    codes: list[torch.Tensor]  # REGIONS of (B,64)
    masks: list[torch.Tensor]  # REGIONS of (B,N,1)


def jolts(batch: int) -> torch.Tensor:
    """(B,2,3) for `encode`: how wrong first guesses are on meshes that no training saw, where they
    were measured up to 1.1 spreads too low and half too large. The second half of the batch mirrors
    the first; a quarter is left alone."""
    half = batch // 2
    shift = torch.randn(half, 1, 3) * torch.tensor([0.12, 0.15, 0.4])
    larger = torch.randn(half, 1, 1) * 0.18 + torch.randn(half, 1, 3) * 0.08
    some = (torch.rand(half, 1, 1) < 0.75).float()
    first = torch.cat([shift, larger], 1) * some
    return torch.cat([first, first * torch.tensor([[-1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])])


class FaceNetwork(nn.Module):
    """vertices and normals (B,N,3) to per-vertex features, and these to offsets."""

    def __init__(
        self,
        mean_marks: torch.Tensor,  # (L,3) mean landmarks in the frame of the bounding box
        region_weights: torch.Tensor,  # (REGIONS,L) landmarks whose mean is a region's centre
        slot_scale: torch.Tensor,  # (K,) typical displacement in canonical units
        width: int = 208,
    ) -> None:
        super().__init__()
        count = mean_marks.shape[0]
        self.count = count
        self.register_buffer("mean_marks", mean_marks)
        self.register_buffer("region_weights", region_weights)
        self.register_buffer("slot_scale", slot_scale)
        self.register_buffer("region_reach", torch.tensor(_REGION_REACH))
        self.register_buffer("frequencies", torch.tensor([2.0, 4.0, 8.0, 16.0]) * math.pi / 2)
        flat = count * 3
        code = 64
        self.whole = _layers(6, 64, 96, 160, last=True)
        self.whole_marks = _layers(160, 160, flat)
        self.near = _layers(6 + count, 96, 160, last=True)
        self.near_marks = _layers(160 + flat, 160, flat)
        self.regions = nn.ModuleList(_layers(6, 64, code, last=True) for _ in range(REGIONS))
        self.region_marks = _layers(REGIONS * code + flat, 192, flat)
        self.summary = _layers(160 + REGIONS * code + flat, 128, last=True)
        self.sharpness = nn.Parameter(torch.full((count,), math.log(6.0)))
        self.place_in = nn.Linear(6 + 4 * count, width)
        self.place_summary = nn.Linear(128, width)
        self.place_regions = nn.ModuleList(nn.Linear(code, width) for _ in range(REGIONS))
        self.place_hidden = nn.Linear(width, width)
        self.place_out = nn.Linear(width, 3)
        self.move_in = nn.Linear(width + 3 + 24, width)
        self.move_summary = nn.Linear(128, width)
        self.move_regions = nn.ModuleList(nn.Linear(code, width) for _ in range(REGIONS))
        self.move_hidden = nn.Linear(width, width)
        self.move_last = nn.Linear(width, width)
        self.offsets = nn.Linear(width, 3 * slots.COUNT)
        self.margin_in = nn.Linear(width, _MARGIN_WIDTH)
        self.margin_out = nn.Linear(_MARGIN_WIDTH, margins.COUNT)

    def _reframe(self, points: torch.Tensor, marks: torch.Tensor):
        """Points and marks in the frame of the marks: their mean and spread."""
        center = marks.mean(1, keepdim=True)
        spread = torch.sqrt(((marks - center) ** 2).mean((1, 2), keepdim=True)) + 1e-4
        return (points - center) / spread, (marks - center) / spread, center, spread

    @staticmethod
    def _squared_distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """(B,N,L)"""
        product = torch.matmul(a, b.transpose(1, 2))
        squares = (a * a).sum(2, keepdim=True) + (b * b).sum(2).unsqueeze(1)
        return (squares - 2 * product).clamp(min=0)

    def _look(
        self, points: torch.Tensor, normals: torch.Tensor, marks: torch.Tensor
    ) -> _Look:
        """One round of the second and third stage. `points` (B,N,3) and `marks` (B,L,3) are in one
        frame."""
        # stage 2: what lies around the landmarks; the rest of a body fades out
        q, marks, center, spread = self._reframe(points, marks)
        window = torch.exp(-(q * q).sum(2, keepdim=True) * (0.5 / 5.0**2))
        close = torch.exp(-self._squared_distance(q.clamp(-12, 12), marks) * 4.0)
        near = self.near(torch.cat([q.clamp(-_FAR, _FAR) * 0.5, normals, close], 2)) * window
        near = near.amax(1)
        correction = self.near_marks(torch.cat([near, marks.flatten(1)], 1))
        second = (marks + correction.view(-1, self.count, 3)) * spread + center
        # stage 3: eyes, nose and mouth, each in its own frame
        q, marks, center, spread = self._reframe(points, second)
        middles = torch.matmul(self.region_weights, marks)
        codes, masks = [], []
        for i, region in enumerate(self.regions):
            local = (q - middles[:, i : i + 1]) / self.region_reach[i]
            mask = torch.exp(-(local * local).sum(2, keepdim=True) * 0.5)
            seen = region(torch.cat([local.clamp(-6, 6), normals], 2)) * mask
            codes.append(seen.amax(1))
            masks.append(mask)
        correction = self.region_marks(torch.cat([*codes, marks.flatten(1)], 1))
        third = (marks + correction.view(-1, self.count, 3)) * spread + center
        return _Look(third, near, codes, masks)

    def encode(
        self,
        vertices: torch.Tensor,
        normals: torch.Tensor,
        marks_only: bool = False,
        jolt: torch.Tensor | None = None,
    ) -> Encoding:
        """`jolt` (B,2,3) puts the first landmarks wrong: by how many spreads they are moved, and
        the logarithm of how much larger they get, along each axis (see `jolts`)."""
        low, high = vertices.amin(1, keepdim=True), vertices.amax(1, keepdim=True)
        origin = (low + high) * 0.5
        radius = torch.sqrt(((high - low) ** 2).sum(2, keepdim=True)) * 0.5 + _TINY
        # stage 1: the whole mesh in its bounding box
        q = (vertices - origin) / radius
        code = self.whole(torch.cat([q, normals], 2)).amax(1)
        first = self.mean_marks + self.whole_marks(code).view(-1, self.count, 3)
        begun = first
        if jolt is not None:
            _, marks, center, spread = self._reframe(q, first)
            begun = (marks * jolt[:, 1:].exp() + jolt[:, :1]) * spread + center
        looks = [self._look(q, normals, begun)]
        for _ in range(ROUNDS - 1):
            looks.append(self._look(q, normals, looks[-1].marks))
        last = looks[-1]
        x, marks, center, spread = self._reframe(q, last.marks)
        empty = x[:, :, :0]
        placed = [m * radius + origin for m in (first, looks[0].marks, last.marks)]
        encoding = Encoding(empty, radius * spread, *placed, empty)
        if marks_only:
            return encoding
        summary = self.summary(torch.cat([last.near, *last.codes, marks.flatten(1)], 1))
        self._per_vertex(encoding, x, normals, marks, summary, last.codes, last.masks)
        return encoding

    def _per_vertex(self, encoding, x, normals, marks, summary, codes, masks) -> None:
        """Fills in canonical and features. x and marks are in the canonical frame."""
        x = x.clamp(-_FAR, _FAR)
        close = torch.exp(-self._squared_distance(x, marks) * self.sharpness.exp())
        toward = [
            close * (x[:, :, k : k + 1] - marks[:, :, k].unsqueeze(1)) * 3.0 for k in range(3)
        ]
        hidden = self.place_in(torch.cat([x, normals, close, *toward], 2))
        hidden = hidden + self.place_summary(summary).unsqueeze(1)
        hidden = torch.relu(hidden + self._local(self.place_regions, codes, masks))
        hidden = hidden + torch.relu(self.place_hidden(hidden))
        canonical = self.place_out(hidden)
        angles = torch.cat([canonical * f for f in self.frequencies], 2)
        inputs = torch.cat([hidden, canonical, torch.sin(angles), torch.cos(angles)], 2)
        hidden = self.move_in(inputs) + self.move_summary(summary).unsqueeze(1)
        hidden = torch.relu(hidden + self._local(self.move_regions, codes, masks))
        hidden = hidden + torch.relu(self.move_hidden(hidden))
        hidden = hidden + torch.relu(self.move_last(hidden))
        encoding.canonical = canonical
        encoding.features = hidden

    @staticmethod
    def _local(layers: nn.ModuleList, codes, masks) -> torch.Tensor:
        """(B,N,W): each region's code, where the region is."""
        told = torch.stack([layer(code) for layer, code in zip(layers, codes)], 1)
        return torch.matmul(torch.cat(list(masks), 2), told)

    def raw_offsets(self, encoding: Encoding) -> torch.Tensor:
        """(B,N,3,K) in units of slot_scale and of the encoding's scale."""
        b, n, _ = encoding.features.shape
        return self.offsets(encoding.features).view(b, n, 3, slots.COUNT)

    def margin_logits(self, features: torch.Tensor) -> torch.Tensor:
        """(B,N,4) how surely a vertex lies on a rim, in the order of margins.NAMES."""
        return self.margin_out(torch.relu(self.margin_in(features)))

    @property
    def packed_width(self) -> int:
        return self.offsets.in_features + 1

    @staticmethod
    def packed(encoding: Encoding) -> torch.Tensor:
        """(B,N,W+1): features times the encoding's scale, and the scale itself.

        All that offsets and margins need. Being linear in the scale, an offset is one product of
        these with weights and bias.
        """
        scale = encoding.scale.expand(-1, encoding.features.shape[1], -1)
        return torch.cat([encoding.features * encoding.scale, scale], 2)

    def decoded(self, packed: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """(B,N,3) metres from one mesh's `packed` (1,N,W+1) and condition (B,K).

        One product for all conditions: many narrow ones would take several times as long.
        """
        weight, bias = self._folded(condition)
        every = torch.cat([weight, bias], 1).transpose(0, 1).flatten(1)  # W+1, 3 B
        moved = torch.matmul(packed.flatten(0, 1), every)  # a view; packed[0] would be a copy in ONNX
        return moved.view(packed.shape[1], -1, 3).transpose(0, 1)

    def margins_of(self, packed: torch.Tensor) -> torch.Tensor:
        """(B,N,4) in 0..1 from `packed`; see margin_logits."""
        scale = packed[:, :, -1:]
        inner = torch.cat([self.margin_in.weight, self.margin_in.bias.unsqueeze(1)], 1)
        hidden = torch.relu(torch.matmul(packed, inner.transpose(0, 1)))
        scores = torch.matmul(hidden, self.margin_out.weight.transpose(0, 1)) / scale
        return torch.sigmoid(scores + self.margin_out.bias)

    def _folded(self, condition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The last layer's weights (B,W,3) and bias (B,1,3), mixed by condition (B,K)."""
        width = self.offsets.in_features
        scaled = condition * self.slot_scale
        weight = self.offsets.weight.view(3, slots.COUNT, width)
        bias = self.offsets.bias.view(3, slots.COUNT)
        flat = weight.permute(1, 2, 0).reshape(slots.COUNT, width * 3)
        folded = torch.matmul(scaled, flat).view(-1, width, 3)
        return folded, torch.matmul(scaled, bias.transpose(0, 1)).unsqueeze(1)

    def conditioned(self, encoding: Encoding, condition: torch.Tensor) -> torch.Tensor:
        """(B,N,3) metres: condition (B,K) folded into the last layer first."""
        weight, bias = self._folded(condition)
        return (torch.matmul(encoding.features, weight) + bias) * encoding.scale
