"""Going on from a checkpoint gives, to the bit, what an unbroken run gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndsl.diagnostics import NndslError
from nndsl.lower.result import Stop
from nndsl.runtime.weights import read_regular
from nndsl.train.checkpoint import Checkpoint, decode_checkpoint
from nndsl.train.folder import RunFolder, create_at
from nndsl.train.loop import Loop
from nndsl.train.saved import read_checkpoint, read_run
from nndsl.train.session import train
from tests.train.doubles import SoftmaxRegression, flowers, job, recipe
from tests.train.test_session import Recorder, equal


def same(a, b) -> None:
    assert equal(a.parameters, b.parameters)
    assert a.history.to_csv() == b.history.to_csv()
    assert (a.best_epoch, a.metrics, a.steps) == (b.best_epoch, b.metrics, b.steps)
    assert a.reason == b.reason


class Stopping(SoftmaxRegression):
    """Sends itself a signal once step `stop` is done, as Ctrl-C would."""

    stop = -1

    def run(self, first_step, steps, **given):
        import os
        import signal

        if first_step <= self.stop < first_step + steps:
            steps = self.stop - first_step + 1
            done = super().run(first_step, steps, **given)
            rest = 0
            if done == steps:
                os.kill(os.getpid(), signal.SIGINT)
                rest = given.get("rest", 0)
            return done + rest
        return super().run(first_step, steps, **given)


def one_step_at_a_time(monkeypatch) -> None:
    monkeypatch.setattr("nndsl.train.loop.CHUNK_SECONDS", 1e-12)


def interrupted_at(stop: int, the_recipe, folder, checkpoint=None, lr=0.1):
    double = Stopping(lr, the_recipe.batch or 96)
    double.stop = stop
    return train(job(the_recipe, lr=lr, training=double, folder=folder), checkpoint=checkpoint)


@pytest.mark.parametrize("stop", [0, 1, 4, 5, 6, 11, 28, 29])
def test_a_broken_run_goes_on_as_if_nothing_had_been(tmp_path, monkeypatch, stop):
    one_step_at_a_time(monkeypatch)
    whole = train(job())
    with create_at(tmp_path / "run") as folder:
        broken = interrupted_at(stop, recipe(), folder)
    if stop == 29:
        same(whole, broken)
        return
    assert (broken.status, broken.exit_code) == ("interrupted", 130)
    assert broken.steps == stop + 1
    with RunFolder(tmp_path / "run") as folder:
        rest = train(job(folder=folder), checkpoint=read_checkpoint(tmp_path / "run"))
    same(whole, rest)
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_number_of_breaks_changes_nothing(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("runs") / "run"
    epochs = data.draw(st.integers(2, 6))
    batch = data.draw(st.sampled_from([7, 16, 96, None]))
    stop = data.draw(
        st.sampled_from([(), (Stop("patience", {"epochs": 2, "metric": "val_loss"}),)])
    )
    the_recipe = recipe(epochs, batch=batch, lr=1.0, stop=stop)
    with pytest.MonkeyPatch.context() as patch:
        one_step_at_a_time(patch)
        whole = train(job(the_recipe, lr=1.0))
        breaks = data.draw(st.sets(st.integers(0, whole.steps), max_size=4))
        folder, checkpoint, result = create_at(path), None, None
        for stop_at in sorted(breaks):
            with folder:
                result = interrupted_at(stop_at, the_recipe, folder, checkpoint, lr=1.0)
            if result.status == "finished":
                break
            folder, checkpoint = RunFolder(path), read_checkpoint(path)
        if result is None or result.status == "interrupted":
            with folder:
                result = train(job(the_recipe, lr=1.0, folder=folder), checkpoint=checkpoint)
    same(whole, result)


def test_going_on_twice_from_the_same_checkpoint_is_the_same(tmp_path, monkeypatch):
    one_step_at_a_time(monkeypatch)
    with create_at(tmp_path / "run") as folder:
        interrupted_at(13, recipe(), folder)
    checkpoint = read_checkpoint(tmp_path / "run")
    same(train(job(), checkpoint=checkpoint), train(job(threads=2), checkpoint=checkpoint))


def test_an_interrupted_run_can_be_used(tmp_path, monkeypatch):
    one_step_at_a_time(monkeypatch)
    with create_at(tmp_path / "run") as folder:
        result = interrupted_at(13, recipe(), folder)
    run = read_run(tmp_path / "run")
    assert run.record.status == "interrupted"
    assert (run.record.steps, run.record.epochs) == (14, 2)
    np.testing.assert_array_equal(run.weights["dense.weight"].T, result.parameters["dense.weight"])


def test_checkpoints_on_the_way(tmp_path, monkeypatch):
    seen = Recorder()
    with create_at(tmp_path / "run") as folder:
        train(job(recipe(epochs=3), folder=folder, save_seconds=0.0), seen)
    saved = [(e.epoch, e.step) for e in seen.named("Saved")]
    assert saved[-1] == (2, 12)
    assert len(saved) >= 2


def test_a_failed_checkpoint_on_the_way_is_a_warning(tmp_path, monkeypatch):
    seen = Recorder()
    with create_at(tmp_path / "run") as folder:
        real = folder.write
        failing = iter([True] * 2)

        def write(contents):
            if next(failing, False):
                from nndsl.runtime.durable import write_error

                raise write_error(OSError(28, "No space left on device"), folder.path, 1000)
            real(contents)

        monkeypatch.setattr(folder, "write", write)
        result = train(job(recipe(epochs=3), folder=folder, save_seconds=0.0), seen)
    assert result.status == "finished"
    assert [e.code for e in seen.named("Noted")] == ["NN610"] * 2


CHANGES = {
    "`model.nn`": lambda j: replace(j, documents={**j.documents, "model.nn": "net Other {}\n"}),
    "the training rows of `input`: 96x4": lambda j: replace(j, train=flowers(97, 1)),
    "the validation rows of `species`": lambda j: replace(j, validation=flowers(24, 9)),
    "the setting `seed`: 0 then, 1 now": lambda j: replace(j, seed=1),
    "the setting `batch`: 16 then, 8 now": lambda j: replace(j, recipe=recipe(batch=8)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_changed_circumstances_are_refused_with_what_changed(tmp_path, monkeypatch, what):
    one_step_at_a_time(monkeypatch)
    with create_at(tmp_path / "run") as folder:
        interrupted_at(13, recipe(), folder)
    checkpoint = read_checkpoint(tmp_path / "run")
    with pytest.raises(NndslError) as caught:
        train(CHANGES[what](job()), checkpoint=checkpoint)
    (found,) = caught.value.diagnostics
    assert found.code == "NN508"
    assert any(note.startswith(what) for note in found.notes)


def test_a_checkpoint_of_another_network_is_refused(tmp_path, monkeypatch):
    one_step_at_a_time(monkeypatch)
    with create_at(tmp_path / "run") as folder:
        interrupted_at(3, recipe(), folder)
    checkpoint = read_checkpoint(tmp_path / "run")
    other = replace(checkpoint, states={"run.loss_sum": np.zeros(())})
    with pytest.raises(NndslError, match="NN509"):
        train(job(), checkpoint=other)


def damage(checkpoint: Checkpoint, **changes) -> bytes:
    from nndsl.runtime import weights

    content = b"".join(bytes(piece) for piece in checkpoint.encode())
    tensors, values = weights.decode(content, "c")
    tensors.update(changes.pop("tensors", {}))
    values.update(changes)
    return b"".join(bytes(piece) for piece in weights.encode(tensors, values))


@pytest.mark.parametrize(
    "changes",
    [
        {"step": -1},
        {"step": "3"},
        {"kind": "weights"},
        {"best_epoch": "two"},
        {"columns": ["epoch"]},
        {"columns": 3},
        {"fingerprints": {"a": 1}},
        {"module": "os"},
        {"tensors": {"other/x": np.zeros(3)}},
        {"tensors": {"history": np.zeros(3)}},
    ],
)
def test_damaged_checkpoints_are_refused(tmp_path, monkeypatch, changes):
    one_step_at_a_time(monkeypatch)
    with create_at(tmp_path / "run") as folder:
        interrupted_at(13, recipe(), folder)
    good = read_regular(tmp_path / "run" / "checkpoint.safetensors")
    checkpoint = decode_checkpoint(good, "c")
    with pytest.raises(NndslError, match="NN502"):
        decode_checkpoint(damage(checkpoint, **dict(changes)), "c")


def test_the_loop_never_pictures_ruined_weights():
    the_job = job()
    for name, array in the_job.train.items():
        the_job.training.bind(name, array)
    from nndsl.train.interruption import Interruption
    from nndsl.train.plan import plan

    loop = Loop(the_job, plan(the_job.recipe, 96), Recorder(), Interruption())
    first = loop.snapshots.newest
    the_job.training.set_parameters({"dense.bias": np.full(3, np.inf, np.float32)})
    assert loop.snapshots.take(loop.picture) is first
