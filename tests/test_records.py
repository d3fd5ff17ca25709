"""The decorator must mean the same as Python's own: every test runs under both."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, asdict, field, replace
from functools import cached_property
from typing import Any, ClassVar

import pytest

import nndsl.records


@pytest.fixture(params=[dataclasses.dataclass, nndsl.records.dataclass], ids=["python", "nndsl"])
def classes(request: pytest.FixtureRequest) -> dict[str, Any]:
    dataclass = request.param

    @dataclass(frozen=True)
    class Point:
        """A point."""

        kind: ClassVar[str] = "point"
        x: int
        y: int = 2
        tags: list[str] = field(default_factory=list, compare=False)
        secret: str = field(default="s", repr=False)

        @cached_property
        def total(self) -> int:
            return self.x + self.y

    @dataclass(frozen=True)
    class Tall(Point):
        height: float = 1.0

        def __post_init__(self) -> None:
            if self.height < 0:
                raise ValueError("below ground")

    @dataclass
    class Cell:
        value: Any
        count: int = 0

    @dataclass(eq=False)
    class Identity:
        value: int

    @dataclass(frozen=True)
    class Spelt:
        value: int

        def __repr__(self) -> str:
            return "spelt"

        def __hash__(self) -> int:
            return 7

    @dataclass(frozen=True)
    class Nothing:
        pass

    @dataclass
    class Problem(Exception):
        text: str

    return {name: value for name, value in locals().items() if isinstance(value, type)}


def test_arguments_and_defaults(classes: dict[str, Any]) -> None:
    Point, Tall = classes["Point"], classes["Tall"]
    point = Point(1)
    assert (point.x, point.y, point.tags, point.secret) == (1, 2, [], "s")
    assert point.tags is not Point(1).tags
    assert Point(y=5, x=4).y == 5
    assert Point(1, secret="t").secret == "t"
    assert Tall(1, 2, [], "s", 3.0).height == 3.0
    assert Tall.__match_args__ == ("x", "y", "tags", "secret", "height")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((), {}),
        ((), {"y": 1}),
        ((1, 2, [], "s", 5), {}),
        ((1,), {"x": 1}),
        ((1, 2), {"x": 1, "secret": "s"}),
        ((1,), {"z": 1}),
        ((), {"y": 1, "tags": [], "secret": "s", "z": 1}),
    ],
)
def test_arguments_that_do_not_fit(
    classes: dict[str, Any], values: tuple[Any, ...], named: dict[str, Any]
) -> None:
    with pytest.raises(TypeError):
        classes["Point"](*values, **named)


def test_equality_and_hash(classes: dict[str, Any]) -> None:
    Point, Tall, Cell, Identity = (classes[n] for n in ("Point", "Tall", "Cell", "Identity"))
    assert Point(1, tags=["a"]) == Point(1, tags=["b"])
    assert hash(Point(1, tags=["a"])) == hash(Point(1, tags=["b"]))
    assert Point(1) != Point(2)
    assert Point(1) != Tall(1)
    assert Point(1) != 1
    assert Cell(1) == Cell(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Cell(1))
    assert Identity(1) != Identity(1)
    assert len({Identity(1), Identity(1)}) == 2
    assert classes["Nothing"]() == classes["Nothing"]()
    assert hash(classes["Spelt"](1)) == 7


def test_text(classes: dict[str, Any]) -> None:
    assert repr(classes["Point"](1)).endswith("Point(x=1, y=2, tags=[])")
    assert repr(classes["Spelt"](1)) == "spelt"
    cell = classes["Cell"](None)
    cell.value = cell
    assert repr(cell).endswith("Cell(value=..., count=0)")


def test_frozen(classes: dict[str, Any]) -> None:
    point = classes["Point"](1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    assert point.total == point.total == 3
    assert point == classes["Point"](1)
    cell = classes["Cell"](1)
    cell.value = 2
    assert cell.value == 2


def test_pythons_own_functions_work(classes: dict[str, Any]) -> None:
    point = classes["Point"](1, tags=["a"])
    assert replace(point, x=3) == classes["Point"](3)
    assert replace(point, x=3).tags is point.tags
    assert asdict(point) == {"x": 1, "y": 2, "tags": ["a"], "secret": "s"}
    assert dataclasses.is_dataclass(point)
    match point:
        case object(x=x, y=y):
            assert (x, y) == (1, 2)


def test_checks_after_filling(classes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="below ground"):
        classes["Tall"](1, height=-1.0)
    with pytest.raises(ValueError, match="below ground"):
        replace(classes["Tall"](1), height=-1.0)


def test_exceptions(classes: dict[str, Any]) -> None:
    with pytest.raises(classes["Problem"]) as caught:
        raise classes["Problem"]("no")
    assert caught.value.text == "no"


def test_computed_once() -> None:
    asked = []

    @nndsl.records.dataclass(frozen=True)
    class Square:
        side: int

        @nndsl.records.computed_once
        def area(self) -> int:
            asked.append(self.side)
            return self.side**2

    square = Square(3)
    assert (square.area, square.area, asked) == (9, 9, [3])
    assert square == Square(3) and replace(square, side=4).area == 16


def test_an_initializer_of_many_instances_means_the_same() -> None:
    @nndsl.records.dataclass
    class Node:
        name: str
        inputs: tuple[int, ...] = ()
        notes: list[str] = field(default_factory=list)

        def __post_init__(self) -> None:
            self.size = len(self.inputs)

    general = Node.__init__
    many = [Node("n", (1, 2)) for _ in range(nndsl.records.OFTEN + 1)]
    assert Node.__init__ is not general
    assert many[0] == many[-1] and list(vars(many[0])) == list(vars(many[-1]))
    assert many[-1].size == 2 and many[-1].notes is not many[-2].notes
    assert Node("m", notes=["x"]).notes == ["x"]
    for wrong in ({}, {"name": "n", "other": 1}):
        with pytest.raises(TypeError):
            Node(**wrong)


def test_an_initializer_written_by_hand_stays() -> None:
    @nndsl.records.dataclass
    class Base:
        x: int

    class Half(Base):
        def __init__(self, x: int) -> None:
            super().__init__(x // 2)

    assert {Half(8).x for _ in range(2 * nndsl.records.OFTEN)} == {4}


def test_threads_that_make_the_first_instances_get_the_same() -> None:
    for _ in range(20):

        @nndsl.records.dataclass(frozen=True)
        class Size:
            x: int
            parts: list[int] = field(default_factory=list)

        start = threading.Barrier(4)

        def make(number: int, made: Any = Size, start: threading.Barrier = start) -> Any:
            start.wait()
            return made(number)

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(make, range(4)))
        assert found == [Size(0), Size(1), Size(2), Size(3)]


def test_fields_are_known_before_the_first_instance() -> None:
    @nndsl.records.dataclass
    class Base:
        x: int = 1

    @nndsl.records.dataclass
    class Inner(Base):
        y: int = 2

    assert [f.name for f in dataclasses.fields(Inner)] == ["x", "y"]
    assert Inner(3).x == 3
    assert dataclasses.is_dataclass(Base)
    assert Base() == Base()
