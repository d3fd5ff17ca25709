"""Trainings of large networks on images of full size take the memory that was told before."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.models.running import MODELS

BATCH, ROWS, CLASSES = 8, 20, 5
NETS = {
    "24_resnet": ((224, 224, 3), "p.resnet(p.bottleneck, [3, 4, 6, 3])"),
    "24_vgg": (
        (224, 224, 3),
        "p.vgg([(2, 64), (2, 128), (4, 256), (4, 512), (4, 512)])",
    ),
    "25_unet": ((256, 256), "p.unet(64, 4) -> conv(1, 1) -> global_avg_pool"),
}
TEXT = """import "{model}.nn" as p
data pictures = images("pictures.npz") {{ split = [40%, 60%, 0%] }}
net Net on pictures {{ {body} -> dense({classes}) -> softmax }}
train Net {{
  optimizer = sgd(0.001, momentum=0.9)
  batch = {batch}; steps = 1; memory = {memory}
}}
"""


def prepared(place: Path, model: str, memory: str) -> None:
    """A folder with a network, and pictures of some classes that differ in brightness."""
    shape, body = NETS[model]
    classes = np.arange(ROWS) % CLASSES
    noise = np.random.default_rng(7).integers(0, 40, (ROWS, *shape))
    light = 40 * classes.reshape(-1, *(1 for _ in shape))
    np.savez(place / "pictures.npz", image=(noise + light).astype(np.uint8), label=classes)
    for name in (f"{model}.nn", "digits.csv"):
        shutil.copy(MODELS / name, place / name)
    text = TEXT.format(model=model, body=body, batch=BATCH, classes=CLASSES, memory=memory)
    (place / "net.nn").write_text(text, encoding="utf-8")


def peak(place: Path, *arguments: str) -> tuple[int, str]:
    """The largest resident memory of a command in bytes, and what it printed."""
    environment = {**os.environ, "NNDSL_CACHE_DIR": str(place / "kernels")}
    command = [sys.executable, "-m", "nndsl", *arguments]
    with subprocess.Popen(
        command,
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, printed
    return usage.ru_maxrss * 1024, printed


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is told in kilobytes there")
@pytest.mark.parametrize(
    ("model", "memory"),
    [("24_resnet", "fast"), ("24_resnet", "small"), ("25_unet", "fast"), ("24_vgg", "fast")],
)
def test_the_resident_memory_of_a_step_is_as_planned(
    model: str, memory: str, tmp_path: Path
) -> None:
    prepared(tmp_path, model, memory)
    peak(tmp_path, "compile", "net.nn")  # so that no compiler runs while memory is measured
    before, told = peak(tmp_path, "compile", "net.nn")
    found = re.search(r"takes ([\d,.]+) MB", told)
    assert found is not None
    planned = float(found[1].replace(",", "")) * 1e6
    after, _ = peak(tmp_path, "train", "net.nn", "--quiet")
    assert planned > 500e6
    assert 0.9 * planned <= after - before <= 1.1 * planned
