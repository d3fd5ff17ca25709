"""Runs whose memory goes on, or whose rows stand in buckets, broken and gone on with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nndsl.train.folder import create_at
from nndsl.train.saved import read_checkpoint
from nndsl.train.session import train
from tests.train.compiled import compiled_job
from tests.train.test_compiled import StopAfter
from tests.train.test_resume import same

CARRY = """data book = text("romeo.txt", window=32)
net Writer on book { embed(4) -> lstm(6) -> dense(book.classes) -> softmax }
train Writer { carry = true; batch = 90; epochs = 2; %s }
"""
BUCKETS = """data remarks = csv("remarks.csv") {
  target = positive
  input words = remark -> words(200, length=24)
}
net Mood on remarks { words -> embed(4) -> gru(6) -> last -> dense(1) -> sigmoid }
train Mood { buckets = 3; batch = 20; epochs = 2; %s }
"""


@pytest.mark.parametrize("text", [CARRY, BUCKETS])
@pytest.mark.parametrize("stop", [0, 13])
def test_a_broken_run_goes_on_to_the_bit(text, stop, tmp_path, monkeypatch):
    monkeypatch.setattr("nndsl.train.loop.CHUNK_SECONDS", 1e-12)
    whole = train(compiled_job(text=text))
    with create_at(tmp_path / "run") as folder:
        job = compiled_job(text=text)
        broken = train(replace(job, training=StopAfter(job.training, stop), folder=folder))
    assert (broken.status, broken.steps) == ("interrupted", stop + 1)
    checkpoint = read_checkpoint(tmp_path / "run")
    same(whole, train(compiled_job(text=text, threads=2), checkpoint=checkpoint))
