import subprocess
import sys

import pytest
import torch

from tdafeat.compat import import_torchvision

STATEMENTS = (
    "import tdafeat.compat as c; a = c.import_torchvision(); assert a is c.import_torchvision()",
    "from tdafeat.compat import import_torchvision as i; i(); import torchvision.transforms",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_imports_in_a_fresh_interpreter(statement):
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_data_sets_and_transforms_work():
    torchvision = import_torchvision()
    image = torch.zeros(3, 8, 8)
    assert torchvision.transforms.functional.resize(image, [4, 4]).shape == (3, 4, 4)
    assert torchvision.datasets.FashionMNIST.classes[9] == "Ankle boot"


def test_a_declared_operator_refuses_to_run():
    torchvision = import_torchvision()
    if torchvision.extension._has_ops():
        pytest.skip("this torchvision has its operators")
    with pytest.raises(NotImplementedError):
        torch.ops.torchvision.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
