"""The kernels that distort pictures, loaded: what `nndsl.vocab.distorting` says, quickly.

Each call works on whole arrays and lets go of Python's lock, so that it runs beside a training.
"""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np

from nndsl.codegen import glue_images
from nndsl.codegen.program import Element
from nndsl.codegen.target import host_target
from nndsl.runtime.compiler import Compiler, Library

Array = np.ndarray
_Pointer, _Integer = ctypes.c_void_p, ctypes.c_int64
_Call = ctypes.CFUNCTYPE(None, _Pointer, _Pointer, _Integer, _Integer)
_ONE = np.ones(1, np.int64)


class PictureKernels:
    """Distortions of pictures [n, channels, height, width] of one precision."""

    def __init__(self, precision: str) -> None:
        element = Element(precision)
        kernels = {
            "warp": glue_images.warp_kernel(element),
            "field": glue_images.field_kernel(element),
            "colour": glue_images.colour_kernel(element),
            "noise": glue_images.noise_kernel(element),
            "box": glue_images.box_kernel(element),
        }
        self.real = np.dtype(precision)
        compiler = Compiler(host_target())
        objects = compiler.objects([], list(kernels.values()))
        self._library = Library(compiler.machine, objects)
        self._calls = {n: _Call(self._library.address(k.name)) for n, k in kernels.items()}

    def _run(self, name: str, count: int, *slots: Array | int) -> None:
        """Call a kernel for `count` pictures; arrays must be contiguous and of the right types."""
        places = [s.ctypes.data if isinstance(s, np.ndarray) else int(s) for s in slots]
        memory = np.array(places, np.int64)
        self._calls[name](memory.ctypes.data, _ONE.ctypes.data, 0, count)

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
        self._run("field", len(elements), made, _whole(elements), self._real(bases[0]),
                  self._real(bases[1].T), drawn, half, np.array([strength]), *draw,
                  height, width, many, several)  # fmt: skip
        return made

    def warp(
        self,
        x: Array,
        matrices: Array,
        fields: Array | None,
        size: tuple[int, int],
        fill: Array,
    ) -> Array:
        """Pictures of this size, each pixel read where its matrix [2, 3] (and field) says."""
        count, channels, height, width = x.shape
        y = np.empty((count, channels, *size), self.real)
        area = size[0] * size[1]
        padded = np.empty((height + 3) * (width + 3), self.real)
        places = np.empty(area, np.int32)
        downs, rights = np.empty(area, self.real), np.empty(area, self.real)
        bent = fields if fields is not None else padded
        self._run("warp", count, self._real(x), y, np.ascontiguousarray(matrices, np.float64),
                  self._real(bent), padded, places, downs, rights,
                  np.ascontiguousarray(fill, np.float64), int(fields is not None),
                  channels, height, width, *size)  # fmt: skip
        return y

    def colour(self, x: Array, matrices: Array) -> Array:
        """Each channel a sum over channels, their means and a number: [n, C, 2 C + 1]."""
        count, channels, height, width = x.shape
        y = np.empty(x.shape, self.real)
        self._run("colour", count, self._real(x), y, np.ascontiguousarray(matrices, np.float64),
                  np.empty(channels), channels, height * width)  # fmt: skip
        return y

    def noise(
        self, x: Array, draw: tuple[int, int, int], elements: Array, deviation: float
    ) -> Array:
        """A normal number of this deviation added to each; `draw` is (epoch, seed, stream)."""
        y = np.empty(x.shape, self.real)
        size = int(np.prod(x.shape[1:]))
        self._run("noise", len(x), self._real(x), y, _whole(elements), np.array([deviation]),
                  *draw, size)  # fmt: skip
        return y

    def box(self, x: Array, boxes: Array, fill: Array) -> Array:
        """A rectangle (top, left, bottom, right) of each picture filled."""
        y = np.array(x, self.real, order="C")
        _, channels, height, width = x.shape
        inside = np.clip(boxes, 0, [height, width, height, width])
        self._run("box", len(x), y, np.ascontiguousarray(inside, np.int32), self._real(fill),
                  channels, height, width)  # fmt: skip
        return y

    def _real(self, array: Array) -> Array:
        return np.ascontiguousarray(array, self.real)


def _whole(numbers: Array) -> Array:
    return np.ascontiguousarray(numbers, np.int64)


@cache
def picture_kernels(precision: str) -> PictureKernels:
    """The kernels of a precision, compiled (or taken from the cache) at first use."""
    return PictureKernels(precision)
