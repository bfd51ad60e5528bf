# SPDX-License-Identifier: Apache-2.0
"""FaceNetwork.encode in pieces that see a few thousand vertices at a time.

The same sums as in network.py, arranged for running: the vertices pass in chunks, so that what lies
between two layers stays small and near the processor; what is the same for all vertices of a mesh
(the code's share, biases) is put into one matrix per mesh instead of being added to every vertex.
Each module below becomes a piece of the ONNX graph, see graph.py; `encode` strings them together in
PyTorch. M meshes, C chunks of c vertices.
"""

from __future__ import annotations

import torch
from torch import nn

from . import network
from .network import FaceNetwork

CHUNK = 2048
_TINY = 1e-9


class Frame:
    """Points to points: (q - center) / spread; center (M,1,3), spread (M,1,1)."""

    @staticmethod
    def of(marks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(marks in their own frame, center, spread)."""
        center = marks.mean(1, keepdim=True)
        spread = torch.sqrt(((marks - center) ** 2).mean((1, 2), keepdim=True)) + 1e-4
        return (marks - center) / spread, center, spread


class Prepare(nn.Module):
    """Vertices and normals (M,N,3) to chunks (C,M,c,6) in the frame of the bounding box, the box's
    radius (M,1,1), and zeros (M,160) to take maxima over. The last vertex fills up the last
    chunk."""

    def forward(self, vertices: torch.Tensor, normals: torch.Tensor):
        low, high = vertices.amin(1, keepdim=True), vertices.amax(1, keepdim=True)
        radius = torch.sqrt(((high - low) ** 2).sum(2, keepdim=True)) * 0.5 + _TINY
        points = torch.cat([(vertices - (low + high) * 0.5) / radius, normals], 2)
        count = points.shape[1]
        chunks = torch.div(count + (CHUNK - 1), CHUNK, rounding_mode="floor")
        size = torch.div(count + chunks - 1, chunks, rounding_mode="floor")
        index = torch.arange(chunks * size, device=points.device).clamp(max=count - 1)
        points = points.index_select(1, index).view(points.shape[0], chunks, size, 6)
        none = (radius * 0).squeeze(2).expand(-1, 160)
        return points.transpose(0, 1), radius, none


class Whole(nn.Module):
    """Running maximum (M,160) of the first stage's code."""

    def __init__(self, model: FaceNetwork) -> None:
        super().__init__()
        self.layers = model.whole

    def forward(self, code: torch.Tensor, chunk: torch.Tensor) -> torch.Tensor:
        hidden = self.layers(chunk.flatten(0, 1))
        return torch.maximum(code, hidden.view(chunk.shape[0], chunk.shape[1], -1).amax(1))


class WholeMarks(nn.Module):
    """The first landmarks, in their own frame, and that frame in the bounding box's."""

    def __init__(self, model: FaceNetwork) -> None:
        super().__init__()
        self.mean, self.layers = model.mean_marks, model.whole_marks

    def forward(self, code: torch.Tensor):
        return Frame.of(self.mean + self.layers(code).view(-1, self.mean.shape[0], 3))


class Near(nn.Module):
    """Running maximum (M,160) of the second stage's code."""

    def __init__(self, model: FaceNetwork) -> None:
        super().__init__()
        self.layers = model.near

    def forward(self, code, chunk, marks, center, spread):
        q, normals = (chunk[:, :, :3] - center) / spread, chunk[:, :, 3:]
        window = torch.exp((q * q).sum(2, keepdim=True) * (-0.5 / 5.0**2))
        close = torch.exp(FaceNetwork._squared_distance(q.clamp(-12, 12), marks) * -4.0)
        seen = torch.cat([q.clamp(-network._FAR, network._FAR) * 0.5, normals, close], 2)
        hidden = self.layers(seen.flatten(0, 1)).view(seen.shape[0], seen.shape[1], -1) * window
        return torch.maximum(code, hidden.amax(1))


class NearMarks(nn.Module):
    """The second landmarks in their own frame, that frame in the bounding box's, and the middles of
    the regions in the former."""

    def __init__(self, model: FaceNetwork) -> None:
        super().__init__()
        self.layers, self.weights = model.near_marks, model.region_weights

    def forward(self, near, marks, center, spread):
        correction = self.layers(torch.cat([near, marks.flatten(1)], 1)).view(marks.shape)
        marks, center, spread = Frame.of((marks + correction) * spread + center)
        return marks, center, spread, torch.matmul(self.weights, marks)


def _masks(q: torch.Tensor, middles: torch.Tensor, reach: torch.Tensor) -> torch.Tensor:
    """(M,c,REGIONS) how far each vertex belongs to each region."""
    return torch.exp(FaceNetwork._squared_distance(q, middles) * (-0.5 / reach**2))


class Regions(nn.Module):
    """Running maximum (M,REGIONS*64) of the regions' codes."""

    def __init__(self, model: FaceNetwork) -> None:
        super().__init__()
        self.layers, self.reach = model.regions, model.region_reach

    def forward(self, codes, chunk, center, spread, middles):
        q, normals = (chunk[:, :, :3] - center) / spread, chunk[:, :, 3:]
        masks = _masks(q, middles, self.reach)
        found = []
        for i, layers in enumerate(self.layers):
            local = ((q - middles[:, i : i + 1]) / self.reach[i]).clamp(-6, 6)
            hidden = layers(torch.cat([local, normals], 2).flatten(0, 1))
            hidden = hidden.view(chunk.shape[0], chunk.shape[1], -1) * masks[:, :, i : i + 1]
            found.append(hidden.amax(1))
        return torch.maximum(codes, torch.cat(found, 1))


class RegionMarks(nn.Module):
    """The third landmarks in their own frame, and that frame in the bounding box's."""

    def __init__(self, model: FaceNetwork) -> None:
        super().__init__()
        self.layers = model.region_marks

    def forward(self, together, marks, center, spread):
        correction = self.layers(torch.cat([together, marks.flatten(1)], 1)).view(marks.shape)
        return Frame.of((marks + correction) * spread + center)


class Shared(nn.Module):
    """What else Vertices needs to know about the mesh: the canonical unit's length and the layers
    that all vertices share."""

    def __init__(self, model: FaceNetwork) -> None:
        super().__init__()
        self.model = model

    def _shared(self, linear, summary_layer, region_layers, summary, codes) -> torch.Tensor:
        """(M,REGIONS+1,W): what the regions' masks, and a one, add to a layer."""
        told = [layer(code).unsqueeze(1) for layer, code in zip(region_layers, codes)]
        return torch.cat([*told, (summary_layer(summary) + linear.bias).unsqueeze(1)], 1)

    def forward(self, near, together, marks, spread, radius):
        m = self.model
        summary = m.summary(torch.cat([near, together, marks.flatten(1)], 1))
        codes = together.chunk(network.REGIONS, 1)
        # close * (x - mark) * 3 of place_in, without subtracting from every vertex
        weight = m.place_in.weight.transpose(0, 1)
        count = m.count
        toward = weight[6 + count :].view(3, count, -1) * 3.0
        moved = (toward.unsqueeze(0) * marks.permute(0, 2, 1).unsqueeze(3)).sum(1)
        close = weight[6 : 6 + count].unsqueeze(0) - moved
        many = marks.shape[0]
        place = torch.cat(
            [
                weight[:6].unsqueeze(0).expand(many, -1, -1),
                close,
                toward.flatten(0, 1).unsqueeze(0).expand(many, -1, -1),
                self._shared(m.place_in, m.place_summary, m.place_regions, summary, codes),
            ],
            1,
        )
        move = torch.cat(
            [
                m.move_in.weight.transpose(0, 1).unsqueeze(0).expand(many, -1, -1),
                self._shared(m.move_in, m.move_summary, m.move_regions, summary, codes),
            ],
            1,
        )
        return radius * spread, place, move


class Vertices(nn.Module):
    """A chunk (M,c,6) to packed features (M,c,W+1)."""

    def __init__(self, model: FaceNetwork) -> None:
        super().__init__()
        self.model = model

    def forward(self, chunk, center2, spread2, middles, marks, center, spread, scale, place, move):
        m = self.model
        points, normals = chunk[:, :, :3], chunk[:, :, 3:]
        masks = _masks((points - center2) / spread2, middles, m.region_reach)
        one = torch.ones_like(masks[:, :, :1])
        x = ((points - center) / spread).clamp(-network._FAR, network._FAR)
        close = torch.exp(-FaceNetwork._squared_distance(x, marks) * m.sharpness.exp())
        toward = (x.unsqueeze(3) * close.unsqueeze(2)).flatten(2)
        hidden = torch.relu(
            torch.matmul(torch.cat([x, normals, close, toward, masks, one], 2), place)
        )
        many, size, width = hidden.shape
        hidden = hidden.flatten(0, 1)
        hidden = hidden + torch.relu(m.place_hidden(hidden))
        canonical = m.place_out(hidden)
        angles = torch.cat([canonical * f for f in m.frequencies], 1)
        turned = torch.cat([hidden, canonical, torch.sin(angles), torch.cos(angles)], 1)
        turned = torch.cat([turned.view(many, size, -1), masks, one], 2)
        hidden = torch.relu(torch.matmul(turned, move)).flatten(0, 1)
        hidden = hidden + torch.relu(m.move_hidden(hidden))
        hidden = hidden + torch.relu(m.move_last(hidden))
        return torch.cat([hidden.view(many, size, width) * scale, one * scale], 2)


class Gather(nn.Module):
    """Chunks (C,1,c,F) of one mesh to (1,N,F), without what filled up the last one."""

    def forward(self, packed: torch.Tensor, vertices: torch.Tensor) -> torch.Tensor:
        # A view: with more meshes it would have to be a copy, the largest of all there are.
        return packed.flatten(0, 2).unsqueeze(0)[:, : vertices.shape[1]]


def encode(model: FaceNetwork, vertices: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
    """(1,N,W+1) of one mesh: what FaceNetwork.packed(encode(...)) gives."""
    chunks, radius, none = Prepare()(vertices, normals)
    code, zeros = none, torch.cat([none, none], 1)[:, : network.REGIONS * 64]
    for chunk in chunks:
        code = Whole(model)(code, chunk)
    marks, center, spread = WholeMarks(model)(code)
    for _ in range(network.ROUNDS):
        near, together = none, zeros
        for chunk in chunks:
            near = Near(model)(near, chunk, marks, center, spread)
        marks2, center2, spread2, middles = NearMarks(model)(near, marks, center, spread)
        for chunk in chunks:
            together = Regions(model)(together, chunk, center2, spread2, middles)
        marks, center, spread = RegionMarks(model)(together, marks2, center2, spread2)
    scale, place, move = Shared(model)(near, together, marks, spread, radius)
    shared = (center2, spread2, middles, marks, center, spread, scale, place, move)
    packed = [Vertices(model)(chunk, *shared) for chunk in chunks]
    return Gather()(torch.stack(packed), vertices)
