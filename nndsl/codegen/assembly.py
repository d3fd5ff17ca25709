"""A writer of LLVM IR as text: values, vectors, masks and loops.

Text instead of a builder of objects: a kernel has some thousand instructions, and formatting a
line costs a tenth of building, linking and printing an object. LLVM parses and verifies the
result, so that a malformed line is an error and never a wrong kernel.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

from nndsl.codegen.program import Element
from nndsl.records import dataclass

SCALARS = {Element.FLOAT32: "float", Element.FLOAT64: "double", Element.INT32: "i32"}
"""LLVM's names of the machine types."""

SUFFIXES = {"float": "f32", "double": "f64", "i32": "i32", "i64": "i64", "i1": "i1"}
"""How intrinsics spell a scalar type in their names."""


class Value(NamedTuple):
    """An operand: its LLVM type and its name (or constant); prints as both."""

    type: str
    name: str

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


@dataclass(frozen=True)
class Shape:
    """A machine type: `lanes` elements of `scalar`; one lane is the plain scalar."""

    scalar: str
    lanes: int = 1

    @property
    def text(self) -> str:
        """The type as LLVM writes it."""
        return self.scalar if self.lanes == 1 else f"<{self.lanes} x {self.scalar}>"

    @property
    def suffix(self) -> str:
        """The type in an intrinsic's name: v16f32, f64."""
        plain = SUFFIXES[self.scalar]
        return plain if self.lanes == 1 else f"v{self.lanes}{plain}"

    def of(self, scalar: str) -> Shape:
        """As many lanes of another scalar type."""
        return Shape(scalar, self.lanes)

    def constant(self, number: float) -> Value:
        """The number in every lane, rounded to the scalar type."""
        return Value(self.text, self._splat(number_text(number, self.scalar)))

    def mask(self, valid: int) -> Value:
        """The constant mask that is true in the first `valid` lanes."""
        bits = ", ".join(f"i1 {int(lane < valid)}" for lane in range(self.lanes))
        return Value(self.of("i1").text, f"<{bits}>")

    def _splat(self, text: str) -> str:
        return text if self.lanes == 1 else f"splat ({self.scalar} {text})"


def number_text(number: float, scalar: str) -> str:
    """A constant as LLVM writes it: floats as the hexadecimal bits of a double."""
    if scalar in ("float", "double"):
        if scalar == "float":
            number = _rounded(number)
        return "0x" + struct.pack(">d", number).hex().upper()
    return str(int(number))


def _rounded(number: float) -> float:
    """The nearest float32; beyond its range an infinity."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def integer(number: int) -> Value:
    """A 64-bit integer constant."""
    return Value("i64", str(number))


class Writer:
    """The body of one function, written line by line, and the declarations it needs."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.declarations: dict[str, str] = {}
        self.block = "entry"
        self._names = 0

    def fresh(self, stem: str = "v") -> str:
        """A name not used before."""
        self._names += 1
        return f"{stem}{self._names}"

    def define(self, type_text: str, instruction: str) -> Value:
        """An instruction with a result."""
        name = "%" + self.fresh()
        self.lines.append(f"  {name} = {instruction}")
        return Value(type_text, name)

    def effect(self, instruction: str) -> None:
        """An instruction without a result."""
        self.lines.append(f"  {instruction}")

    def place(self, label: str) -> None:
        """Begins the block `label`."""
        self.lines.append(f"{label}:")
        self.block = label

    def call(self, result: str, function: str, *arguments: Value) -> Value:
        """Calls a declared function or intrinsic."""
        types = ", ".join(argument.type for argument in arguments)
        self.declarations[function] = f"declare {result} @{function}({types})"
        text = f"call {result} @{function}({', '.join(map(str, arguments))})"
        if result == "void":
            self.effect(text)
            return Value("void", "")
        return self.define(result, text)

    # -- integers and addresses ---------------------------------------------------------------

    def add(self, left: Value, right: Value) -> Value:
        """Sum of integers; constants are folded."""
        if _is_number(left) and _is_number(right):
            return integer(int(left.name) + int(right.name))
        if right.name == "0":
            return left
        if left.name == "0":
            return right
        return self.define("i64", f"add nsw i64 {left.name}, {right.name}")

    def multiply(self, left: Value, right: Value) -> Value:
        """Product of integers; constants are folded."""
        if _is_number(left) and _is_number(right):
            return integer(int(left.name) * int(right.name))
        if left.name == "1":
            return right
        if right.name == "1":
            return left
        if "0" in (left.name, right.name):
            return integer(0)
        return self.define("i64", f"mul nsw i64 {left.name}, {right.name}")

    def offset(self, base: Value, scalar: str, index: Value) -> Value:
        """The address of element `index` of the array at `base`."""
        if index.name == "0":
            return base
        return self.define("ptr", f"getelementptr {scalar}, {base}, {index}")

    def compare(self, relation: str, left: Value, right: Value) -> Value:
        """A signed comparison of integers: slt, sle, ..."""
        return self.define("i1", f"icmp {relation} {left}, {right.name}")

    # -- vectors ------------------------------------------------------------------------------

    def splat(self, scalar: Value, lanes: int) -> Value:
        """The scalar in every lane."""
        if lanes == 1:
            return scalar
        type_text = f"<{lanes} x {scalar.type}>"
        first = self.define(type_text, f"insertelement {type_text} poison, {scalar}, i64 0")
        return self.shuffle(first, first, [0] * lanes)

    def shuffle(self, left: Value, right: Value, lanes: Sequence[int]) -> Value:
        """The named lanes of the two vectors laid end to end."""
        scalar = left.type.partition(" x ")[2].rstrip(">")
        if not any(lanes):
            mask = "zeroinitializer"
        else:
            mask = "<" + ", ".join(f"i32 {lane}" for lane in lanes) + ">"
        return self.define(
            f"<{len(lanes)} x {scalar}>",
            f"shufflevector {left}, {right}, <{len(lanes)} x i32> {mask}",
        )

    def extract(self, vector: Value, lane: int) -> Value:
        """One lane as a scalar."""
        if not vector.type.startswith("<"):
            return vector
        scalar = vector.type.partition(" x ")[2].rstrip(">")
        return self.define(scalar, f"extractelement {vector}, i64 {lane}")

    def load(self, shape: Shape, address: Value, mask: Value | None = None) -> Value:
        """Consecutive elements; lanes outside the mask are not touched and read as zero."""
        align = 8 if shape.scalar == "double" else 4
        if mask is None:
            return self.define(shape.text, f"load {shape.text}, {address}, align {align}")
        return self.call(
            shape.text,
            f"llvm.masked.load.{shape.suffix}.p0",
            address,
            Value("i32", str(align)),
            mask,
            shape.constant(0),
        )

    def store(self, value: Value, shape: Shape, address: Value, mask: Value | None = None) -> None:
        """Consecutive elements; lanes outside the mask are not touched."""
        align = 8 if shape.scalar == "double" else 4
        if mask is None:
            self.effect(f"store {value}, {address}, align {align}")
            return
        self.call(
            "void",
            f"llvm.masked.store.{shape.suffix}.p0",
            value,
            address,
            Value("i32", str(align)),
            mask,
        )

    def prefetch(self, address: Value, write: int) -> None:
        """Asks for a cache line that will be read (0) or written (1)."""
        options = (Value("i32", str(write)), Value("i32", "2"), Value("i32", "1"))
        self.call("void", "llvm.prefetch.p0", address, *options)

    # -- control ------------------------------------------------------------------------------

    def loop(
        self,
        start: Value,
        stop: Value,
        step: int,
        carried: Sequence[Value],
        body: Callable[[Value, list[Value]], Sequence[Value]],
    ) -> tuple[Value, list[Value]]:
        """`while index + step <= stop: carried = body(index, carried); index += step`.

        Returns the index after the loop and the values carried out. With constant bounds a loop
        of no rounds is nothing and one of a single round is its body.
        """
        rounds = _rounds(start, stop, step)
        if rounds == 0:
            return start, list(carried)
        if rounds == 1:
            return self.add(start, integer(step)), list(body(start, list(carried)))
        before, head, after = self.block, self.fresh("loop"), self.fresh("done")
        if rounds is None:
            first = self.compare("sle", self.add(start, integer(step)), stop)
            self.effect(f"br {first}, label %{head}, label %{after}")
        else:
            self.effect(f"br label %{head}")
        self.place(head)
        incoming = [start, *carried]
        names = [Value(value.type, "%" + self.fresh()) for value in incoming]
        place = len(self.lines)
        index = names[0]
        results = list(body(index, names[1:]))
        following = self.add(index, integer(step))
        again = self.compare("sle", self.add(following, integer(step)), stop)
        latch = self.block
        self.effect(f"br {again}, label %{head}, label %{after}, !llvm.loop !0")
        outgoing = [following, *results]
        self.lines[place:place] = [
            f"  {name.name} = phi {name.type} [ {a.name}, %{before} ], [ {b.name}, %{latch} ]"
            for name, a, b in zip(names, incoming, outgoing, strict=True)
        ]
        self.place(after)
        if rounds is not None:
            return outgoing[0], outgoing[1:]
        merged = [
            self.define(a.type, f"phi {a.type} [ {a.name}, %{before} ], [ {b.name}, %{latch} ]")
            for a, b in zip(incoming, outgoing, strict=True)
        ]
        return merged[0], merged[1:]

    def when(self, condition: Value, body: Callable[[], None]) -> None:
        """Runs the body only where the condition holds; it carries no values out."""
        inside, after = self.fresh("then"), self.fresh("done")
        self.effect(f"br {condition}, label %{inside}, label %{after}")
        self.place(inside)
        body()
        self.effect(f"br label %{after}")
        self.place(after)


def _is_number(value: Value) -> bool:
    return not value.name.startswith("%")


def _rounds(start: Value, stop: Value, step: int) -> int | None:
    """How often a loop runs, where its bounds are constants."""
    if _is_number(start) and _is_number(stop):
        return max(0, (int(stop.name) - int(start.name)) // step)
    return None


LOOP_METADATA = """!0 = distinct !{!0, !1, !2}
!1 = !{!"llvm.loop.unroll.disable"}
!2 = !{!"llvm.loop.vectorize.enable", i1 false}
"""
"""Loops are unrolled and vectorised here, not by LLVM: its own passes only cost time."""
