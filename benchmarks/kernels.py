"""Speed of the contraction kernels on one thread, against the measured peak of multiply-adds.

    python benchmarks/kernels.py [--quick]

Prints one line a shape: GFLOP/s, share of the peak, nanoseconds a call, milliseconds to compile.
"""

from __future__ import annotations

import argparse
import ctypes
import time
from dataclasses import dataclass, field

import llvmlite.binding as llvm
import numpy as np

from nndsl.codegen import convolution
from nndsl.codegen.contraction import extents, flops, llvm_text
from nndsl.codegen.convolution import Geometry
from nndsl.codegen.program import Contraction, Element, Operand, Size
from nndsl.codegen.target import Target, host_target
from nndsl.scalar import functions as f
from nndsl.scalar.expression import Expression, variable

REPEAT = """
define void @repeat(ptr %function, ptr %slots, ptr %sizes, i64 %low, i64 %high, i64 %count) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  call void %function(ptr %slots, ptr %sizes, i64 %low, i64 %high)
  %next = add i64 %i, 1
  %again = icmp slt i64 %next, %count
  br i1 %again, label %loop, label %done
done:
  ret void
}
"""


@dataclass
class Compiled:
    """Machine code with what it took to make it."""

    address: int
    write: float
    parse: float
    emit: float
    engine: object = field(repr=False)

    @property
    def milliseconds(self) -> float:
        return 1e3 * (self.write + self.parse + self.emit)


class Bench:
    """Compiles and times kernels of one target."""

    def __init__(self, target: Target) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.target = target
        self.repeat_code = self.compile(REPEAT, "repeat")
        self.repeat = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, *[ctypes.c_int64] * 3)(
            self.repeat_code.address
        )

    def compile(self, text: str, name: str, write: float = 0.0) -> Compiled:
        start = time.perf_counter()
        module = llvm.parse_assembly(text)
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=self.target.cpu, features=self.target.features, opt=3
        )
        middle = time.perf_counter()
        engine = llvm.create_mcjit_compiler(module, machine)
        engine.finalize_object()
        address = engine.get_function_address(name)
        return Compiled(address, write, middle - start, time.perf_counter() - middle, engine)

    def measure(self, contraction: Contraction, sizes: dict[str, int], budget: float) -> float:
        """Seconds of a call, the best of nine runs; `self.code` is what was compiled."""
        start = time.perf_counter()
        text = llvm_text(contraction, "kernel", self.target)
        self.code = self.compile(text, "kernel", time.perf_counter() - start)
        return self.time(self.code.address, contraction, sizes, budget)

    def time(
        self, address: int, contraction: Contraction, sizes: dict[str, int], budget: float
    ) -> float:
        kind = contraction.element.value
        rng = np.random.default_rng(0)
        arrays = [
            rng.uniform(-1, 1, -(-count // contraction.element.bytes) + 16).astype(kind)
            for count in extents(contraction, sizes)
        ]
        for array, operand in zip(arrays[2:], contraction.operands, strict=False):
            if operand.kind == "scalar":
                array[:2] = np.array([0.001]).view(kind)
        pointers = [array.ctypes.data + (-array.ctypes.data) % 64 for array in arrays]
        table = np.array([1, *sizes.values()], np.int64)
        names = ["one", *sizes]
        rest = []
        for size in contraction.sizes:
            rest += [size.factor, names.index(size.symbol)]
        slots = np.array([*pointers, *rest], np.int64)
        extent = contraction.extent
        high = extent.factor * (1 if extent.symbol == "one" else sizes[extent.symbol])
        work = max(1, flops(contraction, sizes))
        count = max(1, int(budget * 1e11 / work / 9))
        times = []
        for _ in range(9):
            start = time.perf_counter()
            self.repeat(address, slots.ctypes.data, table.ctypes.data, 0, high, count)
            times.append((time.perf_counter() - start) / count)
        return min(times)


def peak(bench: Bench) -> float:
    """FLOP/s of a loop of multiply-adds on registers alone."""
    lanes = bench.target.lanes
    vector = f"<{lanes} x float>"
    names = range(12)
    multiply_add = "fma" if bench.target.fma else "fmuladd"
    phis = "\n".join(
        f"%a{i} = phi {vector} [ splat (float 1.0), %entry ], [ %b{i}, %loop ]" for i in names
    )
    steps = "\n".join(
        f"%b{i} = call {vector} @llvm.{multiply_add}.v{lanes}f32"
        f"({vector} %a{i}, {vector} %x, {vector} %x)"
        for i in names
    )
    sums, last = [], "%b0"
    for i in names[1:]:
        sums.append(f"%s{i} = fadd {vector} {last}, %b{i}")
        last = f"%s{i}"
    text = f"""
declare {vector} @llvm.{multiply_add}.v{lanes}f32({vector}, {vector}, {vector})
define void @peak(ptr %slots, ptr %sizes, i64 %low, i64 %high) {{
entry:
  %x = load {vector}, ptr %slots, align 4
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  {phis}
  {steps}
  %next = add i64 %i, 1
  %again = icmp slt i64 %next, %high
  br i1 %again, label %loop, label %done
done:
  {chr(10).join(sums)}
  store {vector} {last}, ptr %slots, align 4
  ret void
}}
"""
    code = bench.compile(text, "peak")
    slots = np.full(64, 1e-3, np.float32)
    best = 1e9
    for _ in range(9):
        start = time.perf_counter()
        bench.repeat(code.address, slots.ctypes.data, slots.ctypes.data, 0, 100_000, 10)
        best = min(best, time.perf_counter() - start)
    return 2 * 12 * lanes * 1e6 / best


def forward(
    rows: int, inputs: int, outputs: int, epilogue: Expression | None = None, fixed: bool = False
) -> tuple[Contraction, dict[str, int]]:
    """Y = X W with rows of a batch (or a fixed number), and an epilogue with a bias."""
    operands = (Operand("bias", "columns"),) if epilogue is not None else ()
    contraction = Contraction(
        Element.FLOAT32,
        outputs,
        Size(rows) if fixed else Size(1, "N"),
        Size(inputs),
        a_row=inputs,
        a_depth=1,
        b_depth=outputs,
        b_column=1,
        c_row=outputs,
        epilogue=(epilogue,) if epilogue is not None else (),
        operands=operands,
    )
    return contraction, {"N": rows}


def weight_gradient(
    rows: int,
    inputs: int,
    outputs: int,
    epilogue: tuple[Expression, ...] = (),
    operands: tuple[Operand, ...] = (),
) -> tuple[Contraction, dict[str, int]]:
    """dW = X^T dY over the rows of a batch."""
    contraction = Contraction(
        Element.FLOAT32,
        outputs,
        Size(inputs),
        Size(1, "N"),
        a_row=1,
        a_depth=inputs,
        b_depth=outputs,
        b_column=1,
        c_row=outputs,
        epilogue=epilogue,
        operands=operands,
    )
    return contraction, {"N": rows}


def input_gradient(
    rows: int, inputs: int, outputs: int, fixed: bool = False
) -> tuple[Contraction, dict[str, int]]:
    """dX = dY W^T, the weights read as they lie."""
    contraction = Contraction(
        Element.FLOAT32,
        inputs,
        Size(rows) if fixed else Size(1, "N"),
        Size(outputs),
        a_row=outputs,
        a_depth=1,
        b_depth=1,
        b_column=outputs,
        c_row=inputs,
    )
    return contraction, {"N": rows}


def adam(outputs: int) -> tuple[tuple[Expression, ...], tuple[Operand, ...]]:
    """An update in the epilogue: moments and weights in place."""
    g, p, m, v, lr = map(variable, ("sum", "p", "m", "v", "lr"))
    moment = 0.9 * m + 0.1 * g
    square = 0.999 * v + 0.001 * (g * g)
    step = p - lr * moment / (f.sqrt(square) + 1e-8)
    tiles = tuple(Operand(name, "tile", outputs) for name in ("p", "m", "v"))
    return (step, moment, square), (*tiles, Operand("lr", "scalar"))


def workloads() -> dict[str, tuple[Contraction, dict[str, int]]]:
    """The shapes reported."""
    biased = variable("sum") + variable("bias")
    relu, elu = f.maximum(biased, 0), f.where(biased > 0, biased, f.expm1(biased))
    tanh = f.tanh(biased)
    found = {
        f"forward {m}x{k}x{n}": forward(m, k, n)
        for m, k, n in (
            (16, 4, 6), (16, 6, 4), (16, 4, 3), (8, 8, 8), (16, 16, 16), (32, 20, 64), (32, 64, 64),
            (32, 64, 1), (128, 64, 3), (128, 128, 10), (128, 64, 40), (128, 100, 100),
            (128, 784, 256), (128, 256, 128), (256, 64, 64), (33, 64, 64), (128, 2000, 2500),
        )
    }  # fmt: skip
    found |= {
        "forward 1x784x256 fixed": forward(1, 784, 256, fixed=True),
        "forward 1x64x64 fixed": forward(1, 64, 64, fixed=True),
        "relu 32x64x64": forward(32, 64, 64, relu),
        "elu 16x4x6": forward(16, 4, 6, elu),
        "elu 32x64x64": forward(32, 64, 64, elu),
        "tanh 32x64x64": forward(32, 64, 64, tanh),
        "relu 128x784x256": forward(128, 784, 256, relu),
    }
    found |= {
        f"dW {k}x{n} over {m}": weight_gradient(m, k, n)
        for m, k, n in (
            (16, 4, 6), (32, 20, 64), (32, 64, 64), (256, 64, 64), (32, 64, 1), (128, 128, 10),
            (128, 784, 256), (128, 256, 128), (128, 2000, 2500),
        )
    }  # fmt: skip
    found |= {
        f"dW+Adam {k}x{n} over {m}": weight_gradient(m, k, n, *adam(n))
        for m, k, n in ((32, 64, 64), (128, 784, 256))
    }
    found |= {
        f"dX {m}x{n}x{k}": input_gradient(m, k, n)
        for m, k, n in (
            (16, 6, 4), (16, 4, 3), (32, 64, 64), (32, 64, 1), (128, 256, 128), (128, 128, 10),
            (256, 64, 64), (128, 2000, 2500),
        )
    }  # fmt: skip
    found["dX 8x64x64 fixed"] = input_gradient(8, 64, 64, fixed=True)
    return found | convolutions()


def convolutions() -> dict[str, tuple[Contraction, dict[str, int]]]:
    """Layers of small image networks: what is computed for a batch of 32."""
    layers = {
        "28x28x1 5x5 20": Geometry((28, 28), 1, 20, (5, 5)),
        "12x12x20 5x5 40": Geometry((12, 12), 20, 40, (5, 5)),
        "34x34x3 3x3 16": Geometry((34, 34), 3, 16, (3, 3)),
        "34x34x16 3x3 16": Geometry((34, 34), 16, 16, (3, 3)),
        "34x34x16 3x3 32 /2": Geometry((34, 34), 16, 32, (3, 3), (2, 2)),
        "18x18x32 3x3 32": Geometry((18, 18), 32, 32, (3, 3)),
        "18x18x32 3x3 64 /2": Geometry((18, 18), 32, 64, (3, 3), (2, 2)),
        "10x10x64 3x3 64": Geometry((10, 10), 64, 64, (3, 3)),
        "6x6x128 3x3 128": Geometry((6, 6), 128, 128, (3, 3)),
        "9x9x512 3x3 512": Geometry((9, 9), 512, 512, (3, 3)),
        "32x32x16 1x1 32 /2": Geometry((32, 32), 16, 32, (1, 1), (2, 2)),
        "16x16x64 1x1 64": Geometry((16, 16), 64, 64, (1, 1)),
    }
    makers = {"": convolution.forward, " dW": convolution.weight_gradient}
    makers[" dX"] = convolution.input_gradient
    return {
        f"conv{word} {name}": (make(geometry, Element.FLOAT32), {"N": 32})
        for name, geometry in layers.items()
        for word, make in makers.items()
    }


def main() -> None:
    """Measures all shapes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a tenth of the time")
    parser.add_argument("--only", default="", help="shapes whose name holds this")
    arguments = parser.parse_args()
    bench = Bench(host_target())
    top = peak(bench)
    print(f"target {bench.target.name} ({bench.target.cpu}), peak {top / 1e9:.1f} GFLOP/s")
    print(f"{'shape (rows x depth x columns)':36}  GF/s  peak%        ns   write+parse+emit ms")
    for name, (contraction, sizes) in workloads().items():
        if arguments.only not in name:
            continue
        seconds = bench.measure(contraction, sizes, 0.03 if arguments.quick else 0.3)
        rate = flops(contraction, sizes) / seconds
        code = bench.code
        print(
            f"{name:36} {rate / 1e9:5.1f}  {100 * rate / top:4.0f}%  {seconds * 1e9:9.0f}  "
            f"{code.write * 1e3:5.1f} {code.parse * 1e3:5.1f} {code.emit * 1e3:5.1f}"
        )


if __name__ == "__main__":
    main()
