"""Series of numbers: what comes next is told better than by saying that nothing changes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from nndsl.train.ensembles import train_job
from tests.models.running import MODELS, job_of, opened_text

VERDICT = r"mae (\d+\.\d+), naive forecast (\d+\.\d+)"
AIRLINE = """data air = csv("airline-passengers.csv", time=Month) {
  target = Passengers -> log -> standardize
  window = 13
  split = [70%, 10%, 20%]
}
net Forecast on air { flatten -> dense(1) }
train Forecast { optimizer = adam(1e-2); epochs = 200 }
"""
POLLUTION = """data air = csv("pollution.csv") {
  target = "pm2.5" -> log1p -> standardize
  drop = [No, year]
  window = 24
  split = [70%, 15%, 15%]
}
net Forecast on air { [gru(24) -> last, flatten] -> concat -> dense(1) }
train Forecast {
  loss = mae; optimizer = adam(2e-3); schedule = cosine; batch = 64; epochs = 6
}
"""


def test_the_demand_of_the_next_hours(nndsl, tmp_path: Path) -> None:
    run = tmp_path / "run"
    ended = nndsl("train", MODELS / "42_forecast.nn", "--out", run)
    assert ended.code == 0
    ((mae, naive),) = re.findall(VERDICT, ended.out)
    assert float(mae) < 0.5 * float(naive)
    assert nndsl("report", run).code == 0
    report = (run / "report.html").read_text(encoding="utf-8")
    assert "saying that nothing changes gives" in report
    assert "demand, 6 of 6: predicted against actual" in report
    made = tmp_path / "made.csv"
    assert nndsl("predict", run, MODELS / "load.csv", "-o", made).code == 0
    lines = made.read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith(",".join(f"predicted_demand_{i}" for i in range(1, 7)))
    assert lines[47].endswith(",,,,,,")
    assert np.isfinite([float(cell) for cell in lines[-1].split(",")[-6:]]).all()


@pytest.mark.parametrize(
    "text", [AIRLINE, pytest.param(POLLUTION, marks=pytest.mark.slow)], ids=["air", "pollution"]
)
def test_better_than_naive(text: str, shared_data: Path) -> None:
    verdict = train_job(job_of(opened_text(text, shared_data)), None).verdict
    assert verdict is not None
    assert verdict.naive
    assert (verdict.metric, verdict.value < 0.98 * verdict.baseline) == ("mae", True)
