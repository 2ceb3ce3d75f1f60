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
            return _to_uint8(ImageOps.exif_transpose(image))
    except UnreadableData:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableData(f"{path} cannot be read as an image ({error})") from error


def _to_uint8(image: Image.Image) -> np.ndarray:
    if image.mode in ("L", "1"):
        return np.asarray(image.convert("L"))
    if image.mode.startswith("I"):
        deep = np.asarray(image, dtype=np.int64)
        if deep.min() < 0 or deep.max() > 65535:
            raise ValueError("grey values outside 16 bits")
        return ((deep * 255 + 32767) // 65535).astype(np.uint8)
    if image.mode == "F":
        raise ValueError("floating-point pixels have no fixed range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    return np.asarray(image.convert("RGB"))
