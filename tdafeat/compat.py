"""Importing torchvision where its compiled operators do not fit the installed torch.

The wheels of torchvision on PyPI are built against the CUDA torch. Beside a CPU-only torch their
extension cannot be loaded, and the import then stops at the first operator it registers shapes
for, although the data sets, transforms and models need no compiled operator at all.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")

_libraries: list[torch.library.Library] = []  # a schema lives as long as its Library object


def import_torchvision() -> ModuleType:
    """Import torchvision, declaring the operators its import names when they cannot be loaded.

    Call it before importing a package that imports torchvision itself (open_clip, timm). The
    declared operators have a schema and no kernel: calling one raises NotImplementedError.
    Where the extension loads, this is a plain import.

    Returns
    -------
    The ``torchvision`` module.

    Examples
    --------
    >>> import_torchvision().__name__
    'torchvision'
    """
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::" not in str(error) or _libraries:
            raise
        import torch

        library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in _OPERATORS:
            library.define(operator + _SIGNATURE)
        _libraries.append(library)
        import torchvision
    return torchvision
