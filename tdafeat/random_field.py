"""Random numbers by position: one field of noise per image, the same wherever it is drawn.

The number at a position is a function of (seed, id, position) alone, so that batch, order,
device and noise level change nothing. The generator is SplitMix64 (Steele, Lea, Flood 2014)
with the position as its counter, in 64-bit integer tensor operations that wrap around alike on
CPU and GPU; the uniform field is therefore equal bit for bit everywhere, the normal one up to
the last digits of the device's inverse error function.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor


def _signed(value: int) -> int:
    """The int64 with the same 64 bits as an unsigned integer."""
    return value - (1 << 64) if value >= 1 << 63 else value


_GOLDEN = _signed(0x9E3779B97F4A7C15)
_MIX_1 = _signed(0xBF58476D1CE4E5B9)
_MIX_2 = _signed(0x94D049BB133111EB)


def _shift_right(z: Tensor, bits: int) -> Tensor:
    return (z >> bits) & ((1 << (64 - bits)) - 1)  # int64's own shift would copy the sign


def splitmix64(key: Tensor, counter: Tensor) -> Tensor:
    """Output number `counter` (from 0) of SplitMix64 seeded with `key`, both int64.

    Examples
    --------
    >>> splitmix64(torch.tensor(1234567), torch.tensor(0)).item()
    6457827717110365317
    """
    z = key + (counter + 1) * _GOLDEN
    z = (z ^ _shift_right(z, 30)) * _MIX_1
    z = (z ^ _shift_right(z, 27)) * _MIX_2
    return z ^ _shift_right(z, 31)


class RandomField:
    """The random numbers of a batch of images.

    Parameters
    ----------
    ids : ids of the images.
    shape : (channels, height, width) of one image.
    seed : not negative.
    device : where the numbers are made.

    Examples
    --------
    >>> both = RandomField(["a", "b"], (1, 2, 2), seed=0)
    >>> bool((both.uniform[1:] == RandomField(["b"], (1, 2, 2), seed=0).uniform).all())
    True
    """

    def __init__(
        self,
        ids: Sequence[str],
        shape: Sequence[int],
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        if seed < 0:
            raise ValueError(f"seed must not be negative; got {seed}")
        self.ids = tuple(ids)
        self.shape = tuple(shape)
        self.seed = seed
        self.device = torch.device(device)

    def _keys(self) -> Tensor:
        digests = (
            hashlib.blake2b(f"{self.seed}/{i}".encode(), digest_size=8).digest() for i in self.ids
        )
        keys = [int.from_bytes(digest, "little", signed=True) for digest in digests]
        return torch.tensor(keys, dtype=torch.int64).to(self.device, non_blocking=True)

    @cached_property
    def uniform(self) -> Tensor:
        """(B, C, H, W) float32, uniform in the open interval (0, 1), odd multiples of 2^-24."""
        if self.device.type == "cpu":
            from tdafeat.random_kernels import fill_uniform

            return self._filled(fill_uniform)
        positions = torch.arange(math.prod(self.shape), dtype=torch.int64, device=self.device)
        bits = _shift_right(splitmix64(self._keys()[:, None], positions), 64 - 23)
        # 23 bits and a half: exact in float32, and neither 0 nor 1, whose normal is infinite
        uniform = (bits.to(torch.float32) + 0.5) * 2.0**-23
        return uniform.reshape(len(self.ids), *self.shape)

    @cached_property
    def normal(self) -> Tensor:
        """(B, C, H, W) float32, standard normal: the quantiles of `uniform`."""
        if self.device.type == "cpu":
            from tdafeat.random_kernels import fill_normal

            return self._filled(fill_normal)
        return torch.special.ndtri(self.uniform)

    def _filled(self, fill: Callable[[np.ndarray, np.ndarray], None]) -> Tensor:
        field = np.empty((len(self.ids), math.prod(self.shape)), np.float32)
        fill(self._keys().numpy().view(np.uint64), field)
        return torch.from_numpy(field).reshape(len(self.ids), *self.shape)
