import subprocess
import sys


def test_listing_data_sets_loads_no_torch():
    code = (
        "import sys; from tdafeat.datasets import datasets; list(datasets); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
