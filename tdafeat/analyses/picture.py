"""Small pictures as PNG files, of vectors that are images or directions between images."""

from __future__ import annotations

from io import BytesIO

import numpy as np

# Zero is near-white; blue and red keep apart for colour-blind readers (ColorBrewer's RdBu ends).
NEGATIVE = np.array([33.0, 102.0, 172.0])
ZERO = np.array([247.0, 247.0, 247.0])
POSITIVE = np.array([178.0, 24.0, 43.0])


def picture(values: np.ndarray, shape: tuple[int, int, int]) -> bytes:
    """An image as a PNG file.

    Parameters
    ----------
    values : (channels * height * width,) in [0, 1]; what lies outside is cut off.
    shape : (channels, height, width), with one channel or three.

    Examples
    --------
    >>> picture(np.array([0.0, 0.5, 1.0, 1.2]), (1, 2, 2))[1:4]
    b'PNG'
    """
    pixels = np.rint(np.clip(values, 0, 1).reshape(shape) * 255)
    return _png(pixels[0] if shape[0] == 1 else pixels.transpose(1, 2, 0))


def signed_picture(values: np.ndarray, shape: tuple[int, int, int]) -> bytes:
    """A direction between images as a PNG file: the largest entry sets the scale.

    Parameters
    ----------
    values : (channels * height * width,) of any size and sign. With one channel positive entries
        are red, negative ones blue and zero is white; with three, zero is mid-grey and each
        channel is lighter where it is positive.
    shape : (channels, height, width), with one channel or three.
    """
    largest = np.abs(values).max()
    scaled = values / largest if largest > 0 else values
    if shape[0] == 3:
        return picture(0.5 + scaled / 2, shape)
    entries = scaled.reshape(*shape[1:], 1)
    ends = np.where(entries < 0, NEGATIVE, POSITIVE)
    return _png(np.rint(ZERO + np.abs(entries) * (ends - ZERO)))


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
