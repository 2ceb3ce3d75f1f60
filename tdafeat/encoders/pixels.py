"""The image itself as its feature vector: the baseline every encoder has to beat."""

from __future__ import annotations

from tdafeat.encoders.base import Encoder, Preprocessing, choose_layer, refuse_checkpoint


def load(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """Raw pixels: ``pixels`` (32 x 32) or ``pixels:SIDE``; layers rgb, grey."""
    refuse_checkpoint("pixels", checkpoint)
    layer = choose_layer("pixels", layer, ("rgb", "grey"))
    if detail and not (detail.isdigit() and 1 <= int(detail) <= 1024):
        raise ValueError(f"pixels:SIDE takes a side from 1 to 1024 pixels; got {detail!r}")
    side, channels = int(detail or 32), 3 if layer == "rgb" else 1
    return Encoder(
        name=f"pixels:{side}" if detail else "pixels",
        version="1",
        layer=layer,
        dimension=channels * side * side,
        preprocessing=Preprocessing(
            side, side, "bilinear", (0.0,) * channels, (1.0,) * channels, channels
        ),
        function=lambda images: images.flatten(start_dim=1),
        image_shape=(channels, side, side),
    )
