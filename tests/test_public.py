import subprocess
import sys

import pytest

import mastershot as ms

HEAVY = ["torch", "transformers", "lancedb", "pyarrow", "ray", "av", "cv2", "numpy", "rich"]


def loaded_after(code: str) -> set[str]:
    code += f"\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import mastershot") == set()


def test_finding_shots_needs_neither_torch_nor_lance() -> None:
    loaded = loaded_after("import mastershot as ms\nms.analyze, ms.detect_shots, ms.Library")
    assert not loaded & {"torch", "transformers", "lancedb", "pyarrow"}


@pytest.mark.parametrize("name", ms.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(ms, name).__doc__
    assert name in dir(ms)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = ms.nothing
