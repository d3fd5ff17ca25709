"""`dataclass`, quicker to define than Python's own.

`dataclasses.dataclass` writes five functions as text for every class and compiles them when the
module is imported: 0.3 to 0.6 ms a class, and with 240 classes a third of the time of
`nndsl check`. Here the functions are closures, shared by all classes as far as possible, and a
class gets them when it is first used; fields, `replace`, `asdict` and matching are Python's own. A
class means the same under both decorators, and type checkers see Python's. Classes of which many
instances are made (nodes, pointers, sizes) get Python's initializer after all, some times as fast,
when that begins to pay.
"""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Generic, TypeVar

Computed = TypeVar("Computed")

_FIELDS = "__dataclass_fields__"  # what `dataclasses` asks for
_completing = threading.RLock()

OFTEN = 300
"""Instances after which a class gets an initializer of its own."""

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: Any = None, /, *, frozen: bool = False, eq: bool = True) -> Any:
        """Python's `dataclass` with the two options that are used here."""
        if cls is None:
            return lambda cls: _define(cls, frozen=frozen, eq=eq)
        return _define(cls, frozen=frozen, eq=eq)


class computed_once(Generic[Computed]):  # noqa: N801 (a decorator)
    """A method without arguments as an attribute that is computed when it is first read.

    As `functools.cached_property`, without the lock that Python 3.11 takes each time: records of
    which a deep network has ten thousands are read by one thread.
    """

    def __init__(self, compute: Callable[[Any], Computed]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Computed:
        value = self._compute(instance)
        instance.__dict__[self._compute.__name__] = value
        return value


def _define(cls: type[Any], *, frozen: bool, eq: bool) -> type[Any]:
    """Complete a class when it is first made an instance of, or asked for its fields.

    Half of the classes that a short run imports never are.
    """
    if "__init__" in vars(cls):
        return _complete(cls, frozen=frozen, eq=eq)
    done = False

    def complete() -> None:
        nonlocal done
        with _completing:
            if not done:
                _complete(cls, frozen=frozen, eq=eq)
                done = True

    def __init__(self: Any, /, *values: Any, **named: Any) -> None:  # noqa: N807
        complete()
        vars(cls)["__init__"](self, *values, **named)

    promised: Any = cls
    promised.__init__ = __init__
    setattr(cls, _FIELDS, _FieldsLater(cls, complete))
    return cls


class _FieldsLater:
    """What stands for the fields of a class until it is completed."""

    def __init__(self, cls: type[Any], complete: Callable[[], None]) -> None:
        self._cls, self._complete = cls, complete

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        self._complete()
        return vars(self._cls)[_FIELDS]


def _complete(cls: type[Any], *, frozen: bool, eq: bool) -> type[Any]:
    """Add what a class does not define itself; the initializer last, as threads may wait for it."""
    own = set(vars(cls))
    if _FIELDS in own:
        own -= {_FIELDS, "__init__"}  # those of `_define`
    hashes = vars(cls).get("__hash__") is not None  # `__eq__` alone sets it to None
    dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
    fields = dataclasses.fields(cls)
    added: dict[str, Any] = {"__repr__": _repr}
    if eq:
        values = _values_of(fields)
        added["__eq__"] = _equality(values)
        if not hashes:
            own.discard("__hash__")
            added["__hash__"] = _hash(values) if frozen else None
    if frozen:
        added["__setattr__"] = _refuse_to_set
        added["__delattr__"] = _refuse_to_delete
    added["__init__"] = _initializer(cls, fields)
    for name, function in added.items():
        if name not in own:
            setattr(cls, name, function)
    return cls


def _initializer(cls: type[Any], fields: tuple[Field[Any], ...]) -> Callable[..., None]:
    """What fills a new instance; TypeError for arguments that do not fit."""
    assert all(field.init and not field.kw_only for field in fields)
    names = tuple(field.name for field in fields)
    known = frozenset(names)
    complete = _completion(cls, fields)
    finish = hasattr(cls, "__post_init__")
    made = 0

    def __init__(self: Any, /, *values: Any, **named: Any) -> None:  # noqa: N807
        nonlocal made
        made += 1
        if made == OFTEN and vars(cls).get("__init__") is __init__:
            cls.__init__ = _compiled(cls, fields)
        state = self.__dict__
        state.update(zip(names, values, strict=False))
        given = len(values)
        if named:
            state.update(named)
            given += len(named)
        if given != len(names) or (named and state.keys() != known):
            complete(state, given)
        if finish:
            self.__post_init__()

    return __init__


def _compiled(cls: type[Any], fields: tuple[Field[Any], ...]) -> Callable[..., None]:
    """Python's own initializer for these fields, borrowed from a class made for it.

    That class is frozen, so that the initializer sets fields past `__setattr__`.
    """
    same = [
        (f.name, f.type, dataclasses.field(default=f.default, default_factory=f.default_factory))
        for f in fields
    ]
    inside = {"__post_init__": None} if hasattr(cls, "__post_init__") else {}
    lender = dataclasses.make_dataclass(
        cls.__name__, same, namespace=inside, frozen=True, repr=False, eq=False
    )
    initializer: Callable[..., None] = vars(lender)["__init__"]
    return initializer


def _completion(
    cls: type[Any], fields: tuple[Field[Any], ...]
) -> Callable[[dict[str, Any], int], None]:
    """What puts in the defaults, and says what is wrong with the arguments if anything is."""
    names = tuple(field.name for field in fields)
    defaults = {f.name: f.default for f in fields if f.default is not MISSING}
    makers = {f.name: f.default_factory for f in fields if f.default_factory is not MISSING}

    def complete(state: dict[str, Any], given: int) -> None:
        if given > len(state):
            raise TypeError(f"{cls.__qualname__}() takes {len(names)} arguments, each once")
        for name, value in defaults.items():
            state.setdefault(name, value)
        for name, make in makers.items():
            if name not in state:
                state[name] = make()
        if missing := [name for name in names if name not in state]:
            raise TypeError(f"{cls.__qualname__}() lacks the argument {missing[0]!r}")
        if len(state) > len(names):
            unknown = min(state.keys() - names)
            raise TypeError(f"{cls.__qualname__}() has no argument {unknown!r}")

    return complete


def _values_of(fields: tuple[Field[Any], ...]) -> Callable[[Any], tuple[Any, ...]]:
    """What gives the fields that are compared, as a tuple."""
    names = tuple(field.name for field in fields if field.compare)
    if len(names) > 1:
        return attrgetter(*names)
    return lambda instance: tuple(getattr(instance, name) for name in names)


def _equality(values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any, object], bool]:
    def __eq__(self: Any, other: object) -> bool:  # noqa: N807
        if other.__class__ is not self.__class__:
            return NotImplemented
        return values(self) == values(other)

    return __eq__


def _hash(values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any], int]:
    def __hash__(self: Any) -> int:  # noqa: N807
        return hash(values(self))

    return __hash__


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_to_set(self: Any, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")
