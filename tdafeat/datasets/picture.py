"""Decoding one picture file into pixels, trusting nothing in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tdafeat.errors import UnreadableData

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
)
MAX_PIXELS = 100_000_000  # a small file can unfold to fill the memory


def read_picture(path: Path) -> np.ndarray:
    """Pixels of a picture file: (height, width, 3) uint8, or (height, width) where grey.

    Turned upright as its EXIF says; transparent parts on white; 16-bit grey scaled to 8; of an
    animation the first frame.

    Raises
    ------
    UnreadableData naming the file if it is missing, damaged, no picture, or over 100 megapixels.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise UnreadableData(
                    f"{path} has {width} x {height} pixels; at most {MAX_PIXELS:,} are read"
                )
            ImageOps.exif_transpose(image, in_place=True)  # a copy may be 400 MB
            return _to_uint8(image)
    except UnreadableData:
        raise
    except Exception as error:  # a decoder fails with whatever it stumbles over
        reason = str(error) or type(error).__name__
        raise UnreadableData(f"{path} cannot be read as an image ({reason})") from error


def _to_uint8(image: Image.Image) -> np.ndarray:
    if image.mode in ("L", "1"):
        return np.asarray(image.convert("L"))
    if image.mode.startswith("I"):
        deep = np.array(image, dtype=np.int32)
        if deep.min() < 0 or deep.max() > 65535:
            raise ValueError("grey values outside 16 bits")
        deep *= 255  # in place: of the largest picture a copy would be 400 MB
        deep += 32767
        deep //= 65535
        return deep.astype(np.uint8)
    if image.mode == "F":
        raise ValueError("floating-point pixels have no fixed range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
