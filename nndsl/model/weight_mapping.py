"""The weights of a model as a mapping from their names to arrays, in PyTorch's layout."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

import numpy as np

from nndsl.diagnostics import Diagnostic, NndslError, error, nearest
from nndsl.lower.result import Network
from nndsl.model.kernels import Kernels
from nndsl.train.initial import to_file_layout, to_graph_layout


class UnknownWeightError(NndslError, KeyError):
    """A weight's name that the network has not (NN070); a `KeyError`, as mappings raise."""


class Weights(MutableMapping[str, np.ndarray]):
    """Names of learnt arrays to arrays: reading copies, assigning checks and copies.

    The names are those of the run's weight file (`dense[1].weight`, `trunk.dense.bias`), the layout
    is PyTorch's: dense [outputs, inputs].
    """

    def __init__(self, network: Network, kernels: Kernels) -> None:
        self._network, self._kernels = network, kernels

    def __getitem__(self, name: str) -> np.ndarray:
        self._require(name)
        array = self._kernels.parameters()[name]
        return to_file_layout(self._network, {name: array})[name].copy()

    def __setitem__(self, name: str, value: object) -> None:
        self._require(name)
        given = np.asarray(value)
        expected = self[name].shape
        if given.dtype.kind not in "fiu" or not np.isfinite(given).all():
            raise error("NN072", f"`{name}` takes finite numbers")
        if given.shape != expected:
            found, wanted = _size(given.shape), _size(expected)
            raise error(
                "NN071",
                f"`{name}` is {wanted}, and the array given is {found}",
                help=_transposed(given.shape, expected),
            )
        self._kernels.set_parameters(to_graph_layout(self._network, {name: given}))

    def __delitem__(self, name: str) -> None:
        raise TypeError("a network keeps all its weights; assign another array instead")

    def __iter__(self) -> Iterator[str]:
        return iter(self._network.parameters)

    def __len__(self) -> int:
        return len(self._network.parameters)

    def __repr__(self) -> str:
        sizes = (f"{name}: {_size(self[name].shape)}" for name in self)
        return f"Weights({', '.join(sizes)})"

    def _require(self, name: str) -> None:
        known = list(self._network.parameters)
        if name in known:
            return
        near = nearest(name, known)
        hint = f"did you mean `{near[0]}`?" if near else "weights: " + ", ".join(known[:8])
        title = f"the network `{self._network.name}` has no weight `{name}`"
        raise UnknownWeightError(Diagnostic("NN070", title, help=(hint,)))


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"


def _transposed(given: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if len(given) == 2 and given[::-1] == expected:
        return "give it transposed: one row for each unit (outputs x inputs)"
    return "the layout is PyTorch's: one row for each unit (outputs x inputs)"
