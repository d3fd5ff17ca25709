"""Compiles a kernel's LLVM text and calls it, for tests of the code generator alone."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import llvmlite.binding as llvm
import numpy as np

from nndsl.codegen.target import Target

llvm.initialize_native_target()
llvm.initialize_native_asmprinter()

_SIGNATURE = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64
)


def compile_kernel(
    text: str, name: str, target: Target
) -> Callable[[np.ndarray, np.ndarray, int, int], None]:
    """The machine code of `name` as a function of slots, sizes, low and high."""
    module = llvm.parse_assembly(text)
    module.verify()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=target.cpu, features=target.features, opt=2
    )
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    function = _SIGNATURE(engine.get_function_address(name))

    def call(slots: np.ndarray, sizes: np.ndarray, low: int, high: int) -> None:
        function(slots.ctypes.data, sizes.ctypes.data, low, high)

    call.engine = engine  # type: ignore[attr-defined]  # keeps the code alive
    return call
