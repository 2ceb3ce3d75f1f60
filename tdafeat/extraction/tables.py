"""Tables of features: preallocated, filled while the device goes on, checked a batch later."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tdafeat.extraction.forward import Forward
from tdafeat.extraction.tokens import kept_tokens


class Tables:
    """The features of the same images at every severity.

    Attributes
    ----------
    tables : severity -> (n, D), or (n, tokens kept, D), float32 on the host.
    """

    def __init__(self, ids: Sequence[str], forward: Forward) -> None:
        self.ids = ids
        self.tables: dict[int, Tensor] = {}
        self._forward = forward
        self._kept: np.ndarray | None = None  # (n, tokens kept): positions
        self._unchecked: tuple[torch.cuda.Event | None, list[int], slice] | None = None

    def put(self, severity: int, rows: slice, encoded: Tensor) -> None:
        """Copy the features of these rows, without waiting for the device to have made them.

        Raises
        ------
        ValueError for another shape than (images, D), or (images, T, D) of an encoder of tokens.
        """
        name, tokens = self._forward.encoder.name, self._forward.encoder.tokens
        n = rows.stop - rows.start
        if encoded.ndim != 2 + tokens or len(encoded) != n:
            expected = f"({n}, {'T, ' if tokens else ''}D)"
            raise ValueError(
                f"encoder {name} must return shape {expected} for {n} images; "
                f"got {tuple(encoded.shape)}"
            )
        if tokens:
            encoded = self._sampled(rows, encoded)
        if severity not in self.tables:
            pinned = self._forward.device.type == "cuda"
            shape = (len(self.ids), *encoded.shape[1:])
            self.tables[severity] = torch.empty(shape, dtype=torch.float32, pin_memory=pinned)
        table = self.tables[severity]
        if table.shape[1:] != encoded.shape[1:]:
            raise ValueError(
                f"encoder {name} must give every batch the same shape; "
                f"got {tuple(table.shape[1:])} and {tuple(encoded.shape[1:])} per image"
            )
        table[rows].copy_(encoded, non_blocking=True)

    def check(self, severities: list[int], rows: slice) -> None:
        """Check the rows of the call before: these may still be on their way.

        Raises
        ------
        ValueError for a feature that is NaN or infinite, naming the image.
        """
        self.check_last()
        event = None
        if self._forward.device.type == "cuda":
            event = torch.cuda.Event()
            event.record(torch.cuda.current_stream(self._forward.device))
        self._unchecked = (event, severities, rows)

    def check_last(self) -> None:
        """Wait for all there is, and check it."""
        if self._unchecked is None:
            return
        event, severities, rows = self._unchecked
        self._unchecked = None
        if event is not None:
            event.synchronize()
        for severity in severities:
            part = self.tables[severity][rows].numpy()
            finite = np.isfinite(part).all(axis=tuple(range(1, part.ndim)))
            if not finite.all():
                image = self.ids[rows.start + int(np.argmin(finite))]
                precision = self._forward.compute.precision
                within = "" if precision == "float32" else f", in {precision}"
                raise ValueError(
                    f"encoder {self._forward.encoder.name} gave NaN or infinite features for "
                    f"image {image}{within}"
                )

    def names(self) -> tuple[str, ...]:
        """One per row: the image's id, with the token's position where there are tokens."""
        if self._kept is None:
            return tuple(self.ids)
        return tuple(
            f"{image}#{k}" for image, own in zip(self.ids, self._kept, strict=True) for k in own
        )

    def _sampled(self, rows: slice, encoded: Tensor) -> Tensor:
        n_tokens, n_features = encoded.shape[1:]
        positions = np.stack([kept_tokens(image, n_tokens) for image in self.ids[rows]])
        if self._kept is None:
            self._kept = np.empty((len(self.ids), positions.shape[1]), np.int64)
        self._kept[rows] = positions
        index = torch.from_numpy(positions).to(encoded.device, non_blocking=True)
        return encoded.gather(1, index[:, :, None].expand(-1, -1, n_features))
