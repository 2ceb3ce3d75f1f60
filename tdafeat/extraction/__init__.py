"""From images to features: data set x noise x encoder.

    decoded (uint8, once) -> on the device -> noise, every level -> forward pass -> float32 table

`decoded.py` holds the pixels, `forward.py` the encoder at work, `tables.py` what it gives, and
`loop.py` puts them together.
"""

from tdafeat.devices import resolve_device
from tdafeat.extraction.compute import Compute
from tdafeat.extraction.decoded import Decoded
from tdafeat.extraction.forward import Forward
from tdafeat.extraction.loop import extract, extract_decoded
from tdafeat.extraction.tokens import TOKENS, kept_tokens

__all__ = [
    "TOKENS",
    "Compute",
    "Decoded",
    "Forward",
    "extract",
    "extract_decoded",
    "kept_tokens",
    "resolve_device",
]
