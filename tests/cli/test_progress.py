import pytest

from nndsl.cli.progress import PlainObserver, is_shown, jsonable, sparkline
from nndsl.train.events import Started


@pytest.mark.parametrize(
    ("steps", "said"), [(None, "2 epochs of 36 steps"), (1, "1 step, 36 an epoch")]
)
def test_the_length_of_a_run_that_ends_within_an_epoch(
    steps: int | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = (1150, 288, 359, 10, 32, 2, 36, 0, 1)
    PlainObserver().on_start(Started("Net", *counts, "float32", steps=steps))
    assert f"train   {said}, batch 32, 1 thread" in capsys.readouterr().out


def test_a_long_run_has_few_plain_lines() -> None:
    for epochs in (10, 60, 300, 10_000):
        shown = [e for e in range(1, epochs + 1) if is_shown(e, epochs)]
        assert shown[:10] == list(range(1, 11))
        assert shown[-1] == epochs
        assert len(shown) <= 22


def test_a_sparkline_falls_with_its_values() -> None:
    bars = sparkline([float(100 - i) for i in range(100)])
    assert (bars[0], bars[-1]) == ("█", "▁")
    assert len(sparkline([float(i % 7) for i in range(1000)])) == 20
    assert sparkline([1.0]) == ""
    assert sparkline([float("nan"), 1.0]) == ""


def test_json_has_no_nan() -> None:
    assert jsonable({"a": float("nan"), "b": [1.0, float("inf")]}) == {"a": None, "b": [1.0, None]}
