"""The kernels that distort pictures, loaded: what `nndsl.vocab.distorting` says, quickly.

Each call works on whole arrays and lets go of Python's lock, so that it runs beside a training.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from nndsl.codegen import glue_images
from nndsl.codegen.program import Element, Kernel
from nndsl.codegen.target import host_target
from nndsl.runtime.compiler import Compiler, Library

Array = np.ndarray
_Pointer, _Integer = ctypes.c_void_p, ctypes.c_int64
_Call = ctypes.CFUNCTYPE(None, _Pointer, _Pointer, _Integer, _Integer)
_ONE = np.ones(1, np.int64)


class PictureKernels:
    """Distortions of pictures [n, channels, height, width] of one precision."""

    def __init__(self, precision: str) -> None:
        self._element = Element(precision)
        self.real = np.dtype(precision)
        self._compiler = Compiler(host_target())
        self._loaded: dict[str, tuple[Library, Any]] = {}

    def _run(self, kernel: Kernel, count: int, *slots: Array | int) -> None:
        """Call a kernel for `count` pictures; arrays must be contiguous and of the right types.

        It is compiled (or taken from the cache) when it is first needed.
        """
        if kernel.name not in self._loaded:
            library = Library(self._compiler.machine, self._compiler.objects([], [kernel]))
            self._loaded[kernel.name] = library, _Call(library.address(kernel.name))
        _, call = self._loaded[kernel.name]
        places = [s.ctypes.data if isinstance(s, np.ndarray) else int(s) for s in slots]
        memory = np.array(places, np.int64)
        call(memory.ctypes.data, _ONE.ctypes.data, 0, count)

    def field(
        self,
        draw: tuple[int, int, int],
        elements: Array,
        bases: tuple[Array, Array],
        strength: float,
    ) -> Array:
        """Smooth displacements [n, 2, height, width]; `draw` is (epoch, seed, stream)."""
        (height, many), (width, several) = (basis.shape for basis in bases)
        made = np.empty((len(elements), 2, height, width), self.real)
        drawn = np.empty(2 * many * several + 3, self.real)
        half = np.empty(height * several, self.real)
        kernel = _field(self._element, height, width, many, several)
        self._run(kernel, len(elements), made, _whole(elements), self._real(bases[0]),
                  self._real(bases[1].T), drawn, half, np.array([strength]), *draw)  # fmt: skip
        return made

    def warp(
        self,
        x: Array,
        matrices: Array,
        fields: Array | None,
        size: tuple[int, int],
        fill: Array,
        edge: bool = False,
        *,
        nearest: bool = False,
    ) -> Array:
        """Pictures of this size, each pixel read where its matrix [2, 3] (and field) says."""
        count, channels, height, width = x.shape
        y = np.empty((count, channels, *size), self.real)
        area = size[0] * size[1]
        padded = np.empty((height + 3) * (width + 3), self.real)
        places = np.empty(area, np.int32)
        downs, rights = np.empty(area, self.real), np.empty(area, self.real)
        bent = fields if fields is not None else padded
        matrices = np.ascontiguousarray(matrices, np.float64)
        black = np.ascontiguousarray(fill, np.float64)
        kernel = _warp(self._element, nearest)
        self._run(kernel, count, self._real(x), y, matrices, self._real(bent),
                  padded, places, downs, rights, black, int(fields is not None),
                  int(edge), channels, height, width, *size)  # fmt: skip
        return y

    def colour(self, x: Array, matrices: Array) -> Array:
        """Each channel a sum over channels, their means and a number: [n, C, 2 C + 1]."""
        count, channels, height, width = x.shape
        y = np.empty(x.shape, self.real)
        self._run(_colour(self._element), count, self._real(x), y,
                  np.ascontiguousarray(matrices, np.float64),
                  np.empty(channels), channels, height * width)  # fmt: skip
        return y

    def noise(
        self, x: Array, draw: tuple[int, int, int], elements: Array, deviation: float
    ) -> Array:
        """A normal number of this deviation added to each; `draw` is (epoch, seed, stream)."""
        y = np.empty(x.shape, self.real)
        size = int(np.prod(x.shape[1:]))
        self._run(_noise(self._element), len(x), self._real(x), y,
                  _whole(elements), np.array([deviation]),
                  *draw, size)  # fmt: skip
        return y

    def box(self, x: Array, boxes: Array, fill: Array) -> Array:
        """A rectangle (top, left, bottom, right) of each picture filled."""
        y = np.array(x, self.real, order="C")
        _, channels, height, width = x.shape
        inside = np.clip(boxes, 0, [height, width, height, width])
        self._run(_box(self._element), len(x), y,
                  np.ascontiguousarray(inside, np.int32), self._real(fill),
                  channels, height, width)  # fmt: skip
        return y

    def _real(self, array: Array) -> Array:
        return np.ascontiguousarray(array, self.real)


def _whole(numbers: Array) -> Array:
    return np.ascontiguousarray(numbers, np.int64)


@cache
def picture_kernels(precision: str) -> PictureKernels:
    """The kernels of a precision, made once."""
    return PictureKernels(precision)


@cache
def _field(element: Element, height: int, width: int, many: int, several: int) -> Kernel:
    return glue_images.field_kernel(element, height=height, width=width, many=many, several=several)


_warp, _colour = cache(glue_images.warp_kernel), cache(glue_images.colour_kernel)
_noise, _box = cache(glue_images.noise_kernel), cache(glue_images.box_kernel)
