"""Kernel text to LLVM IR, through the front end of Numba.

Numba's own set-up loads the implementations of all of NumPy (0.3 s) and optimises every function
by itself. Kernel text needs numbers, pointers, loops and `math` only, so it is compiled in a
context that knows just these, by Numba's passes up to the lowering; optimisation happens later,
together with the trampoline that gives the function our calling convention.
"""

from __future__ import annotations

import re
from typing import Any

from llvmlite import ir
from numba.core import compiler, cpu, funcdesc, types, typing
from numba.core import typed_passes as typed
from numba.core import untyped_passes as untyped
from numba.core.compiler_machinery import LoweringPass, PassManager, register_pass
from numba.core.lowering import Lower
from numba.core.typing import mathdecl, templates

from nndsl.codegen.program import Kernel
from nndsl.records import dataclass
from nndsl.runtime.intrinsics import LOWERING, NAMES, TYPING

_LLVM_TYPES = {"float32": "float", "float64": "double", "int32": "i32", "int64": "i64"}


class _TypingContext(typing.Context):  # type: ignore[misc]
    """Types of numbers, pointers and `math`, without the functions written in Python."""

    def __init__(self) -> None:
        self._installed: list[Any] = []
        super().__init__()

    def load_additional_registries(self) -> None:
        self.install_registry(mathdecl.registry)
        self.install_registry(TYPING)

    def install_registry(self, registry: Any) -> None:
        if registry in self._installed:
            return
        self._installed.append(registry)
        plain = templates.Registry()
        plain.functions = list(registry.functions)
        plain.attributes = [a for a in registry.attributes if not hasattr(a, "_overload_func")]
        plain.globals = list(registry.globals)
        super().install_registry(plain)


class _TargetContext(cpu.CPUContext):  # type: ignore[misc]
    """Implementations of numbers, ranges and `math`; nothing that allocates."""

    def load_additional_registries(self) -> None:
        from numba.core import optional  # noqa: F401 (registers)
        from numba.cpython import builtins, mathimpl, numbers, rangeobj  # noqa: F401 (register)

        self.install_registry(mathimpl.registry)
        self.install_registry(LOWERING)

    def post_lowering(self, module: Any, library: Any) -> None:
        """Nothing to link: kernels hold no objects."""

    def get_abi_sizeof(self, kind: Any) -> int:
        """Asked for debug information only, which kernels have none of."""
        return 0


class _Module:
    """Stands for Numba's code library: takes the module that the lowering makes, as it is."""

    def __init__(self, triple: str, layout: str) -> None:
        self._triple = triple
        self._layout = layout
        self.module = ir.Module()

    def create_ir_module(self, name: str) -> ir.Module:
        """A new module, named in its text."""
        self.module = ir.Module(name)
        self.module.triple = self._triple
        self.module.data_layout = self._layout
        return self.module

    def add_ir_module(self, module: ir.Module) -> None:
        """The finished module."""
        self.module = module


@dataclass(frozen=True)
class _Lowered:
    """What remains of a compilation: the module's text and the function's name in it."""

    text: str
    symbol: str


@register_pass(mutates_CFG=True, analysis_only=False)
class _ToModule(LoweringPass):  # type: ignore[misc]
    """Numba's lowering to LLVM, without the calls of LLVM around it.

    Those would wait for the other thread, in which LLVM compiles the kernels before this one.
    """

    _name = "kernel_to_module"

    def __init__(self) -> None:
        LoweringPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        described = funcdesc.PythonFunctionDescriptor.from_specialized_function(
            state.func_ir,
            state.typemap,
            state.return_type,
            state.calltypes,
            mangler=state.targetctx.mangler,
            inline=state.flags.forceinline,
            noalias=state.flags.noalias,
            abi_tags=[state.flags.get_mangle_string()],
        )
        with state.targetctx.push_code_library(state.library):
            lower = Lower(
                state.targetctx, state.library, described, state.func_ir, metadata=state.metadata
            )
            lower.lower()
        state["cr"] = _Lowered(str(state.library.module), described.llvm_func_name)
        return True


class _Pipeline(compiler.CompilerBase):  # type: ignore[misc]
    """The passes of Numba's nopython mode that straight loops need."""

    def define_pipelines(self) -> list[PassManager]:
        passes = PassManager("kernel")
        for step in (
            untyped.TranslateByteCode,
            untyped.FixupArgs,
            untyped.IRProcessing,
            untyped.ReconstructSSA,
            typed.NopythonTypeInference,
            typed.PreLowerStripPhis,
            typed.IRLegalization,
            typed.AnnotateTypes,
            _ToModule,
        ):
            passes.add_pass(step, step.__name__)
        passes.finalize()
        return [passes]


class Lowering:
    """One set of contexts, made at first use and kept: `llvm_text(kernel)` for each kernel."""

    def __init__(self) -> None:
        self._typing = _TypingContext()
        self._target = _TargetContext(self._typing, "cpu")
        self._target.refresh()
        empty = self._target.codegen()._create_empty_module("")
        self._place = str(empty.triple), str(empty.data_layout)
        self._flags = compiler.Flags()
        self._flags.nrt = False
        self._flags.no_cpython_wrapper = True
        self._flags.no_cfunc_wrapper = True
        self._flags.no_compile = True
        self._flags.error_model = "numpy"

    def llvm_text(self, kernel: Kernel) -> str:
        """LLVM IR that defines `kernel.name` in our calling convention (see `codegen.program`)."""
        function = _define(kernel.text)
        arguments = [_numba_type(slot) for slot in kernel.signature] + [types.int64] * 2
        lowered: _Lowered = compiler.compile_extra(
            self._typing,
            self._target,
            function,
            tuple(arguments),
            types.void,
            self._flags,
            {},
            library=_Module(*self._place),
            pipeline_class=_Pipeline,
        )
        body = _tidied(lowered.text, lowered.symbol)
        return body + trampoline(kernel.name, lowered.symbol, kernel.signature)


def _define(text: str) -> Any:
    """The one function in a kernel's text. The text is our own: numbers and generated names."""
    names: dict[str, Any] = dict(NAMES)
    before = set(names) | {"__builtins__"}
    exec(compile(text, "<kernel>", "exec"), names)  # noqa: S102
    (defined,) = (names[name] for name in names if name not in before)
    return defined


def _numba_type(slot: str) -> Any:
    if slot.startswith("pointer:"):
        element = getattr(types, slot.removeprefix("pointer:"))
        return types.CPointer(element)  # type: ignore[attr-defined]
    return types.int64


def _tidied(text: str, symbol: str) -> str:
    """The module with a private function, pointers that do not overlap, and fused multiply-add.

    Contraction of `a*b + c` into one rounding is the only freedom given to LLVM: nothing may
    assume that numbers are finite, and no sum is reordered.
    """
    lines = []
    for line in text.splitlines():
        if line.startswith("define ") and symbol in line:
            line = re.sub(r'\* %"arg\.', r'* noalias %"arg.', line)
            line = line.replace("define ", "define internal ", 1) + " alwaysinline"
        lines.append(line.replace("= common global", "= internal global"))
    return re.sub(r" = (fadd|fsub|fmul) ", r" = \1 contract ", "\n".join(lines))


def trampoline(name: str, symbol: str, signature: tuple[str, ...]) -> str:
    """`void name(i64* slots, i64* sizes, i64 low, i64 high)`, which unpacks the slots and calls."""
    lines = []
    arguments = []
    position = 0
    for index, slot in enumerate(signature):
        lines += _load(f"s{index}", "slots", position)
        position += 1
        if slot.startswith("pointer:"):
            kind = _LLVM_TYPES[slot.removeprefix("pointer:")] + "*"
            lines.append(f"  %v{index} = inttoptr i64 %s{index} to {kind}")
            arguments.append(f"{kind} %v{index}")
        elif slot == "size":
            lines += _load(f"i{index}", "slots", position)
            position += 1
            lines.append(f"  %p{index} = getelementptr i64, i64* %sizes, i64 %i{index}")
            lines.append(f"  %z{index} = load i64, i64* %p{index}")
            lines.append(f"  %v{index} = mul i64 %s{index}, %z{index}")
            arguments.append(f"i64 %v{index}")
        else:
            arguments.append(f"i64 %s{index}")
    failure = "{i8*, i32, i8*, i8*, i32}*"
    call = ", ".join(["i8** %result", f"{failure}* %failure", *arguments, "i64 %low", "i64 %high"])
    return "\n".join(
        [
            "",
            f'define void @"{name}"(i64* %slots, i64* %sizes, i64 %low, i64 %high) nounwind {{',
            "  %result = alloca i8*",
            f"  %failure = alloca {failure}",
            *lines,
            f'  %status = call i32 @"{symbol}"({call})',
            "  ret void",
            "}",
            "",
        ]
    )


def _load(name: str, base: str, position: int) -> list[str]:
    return [
        f"  %{name}p = getelementptr i64, i64* %{base}, i64 {position}",
        f"  %{name} = load i64, i64* %{name}p",
    ]
