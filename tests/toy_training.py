"""A training small enough for tests: a linear map of an image's colours, learned step by step."""

import json
from dataclasses import asdict, dataclass

import numpy as np
import torch

from tdafeat.encoders.base import Encoder, Preprocessing, fingerprint

SIZE = 8


@dataclass(frozen=True)
class Shrinking:
    """Every step multiplies all directions of the map but one by `keep`; 1 is no collapse.

    The one that stays is drawn from the seed, the log tells the share of the others.
    """

    keep: float = 1.0
    total: int = 8

    @property
    def spec(self):
        return {"kind": "shrinking", "settings": asdict(self)}

    def train(self, images, steps, seed, device, folder, observe):
        if steps[-1] > self.total:
            raise ValueError(f"steps must lie within the {self.total} steps of the training")
        matrix, log = np.linalg.qr(np.random.default_rng(seed).normal(size=(6, 6)))[0], []
        state = folder / "state.json"
        if state.is_file():
            kept = json.loads(state.read_text())
            matrix, log = np.array(kept["matrix"]), kept["log"]
        for step in range(len(log), self.total + 1):
            if step > 0:
                matrix = self._step(matrix, images.read(step))
            log.append({"step": step, "loss": self.keep**step, "others": 5 * self.keep**step})
            if step in steps:
                observe(step, {"map.weight": torch.from_numpy(matrix).float()})
            state.write_text(json.dumps({"matrix": matrix.tolist(), "log": log}))
        return log

    def _step(self, matrix, image):
        assert image.ndim == 3
        return matrix * np.array([1.0] + [self.keep] * 5)

    def encoder(self, name, weights):
        matrix = weights["map.weight"]

        def encode(images):
            colours = torch.cat([images.mean(dim=(2, 3)), images.std(dim=(2, 3))], dim=1)
            return (colours - 0.3) @ matrix.to(images.device)

        return Encoder(name, fingerprint(weights), "map", 6, Preprocessing(SIZE, SIZE), encode)
