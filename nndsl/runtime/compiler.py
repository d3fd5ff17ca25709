"""Kernels to machine code: from the cache where they are in it, else through LLVM.

Every kernel is a module of its own and its own cache entry, whatever program asks for it. LLVM
works in a second thread (it lets go of Python's lock) while this one imports Numba and lowers the
glue; code is loaded from object files in both cases, so what runs does not depend on the cache.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import llvmlite
import llvmlite.binding as llvm

from nndsl.codegen.program import Kernel
from nndsl.codegen.target import Target
from nndsl.runtime.cache import Cache

if TYPE_CHECKING:
    from concurrent.futures import Future

FORMAT = "9"
"""Changes whenever the same kernel text or specification would give other code."""

SWITCH_SECONDS = 0.0002

LIBRARY_FUNCTIONS = tuple(
    name + suffix
    for name in (
        *("exp", "expm1", "exp2", "log", "log1p", "log2", "pow", "sin", "cos", "tan"),
        *("asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "erf", "erfc"),
        *("fmod", "floor", "ceil", "rint", "fma", "memset", "memcpy", "memmove"),
    )
    for suffix in ("", "f")
)
"""All outside functions that compiled code may call, from the C library."""


def _initialise() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


class Machine:
    """LLVM's code generator for one target."""

    def __init__(self, target: Target) -> None:
        _initialise()
        self.target = target
        self._machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=target.cpu,
            features=target.features,
            opt=2,
            jit=True,
            reloc="pic",
            codemodel="small",
        )

    def object_code(self, text: str, *, optimise: bool) -> bytes:
        """LLVM IR text compiled. `optimise` for scalar loops, which LLVM then vectorises; text
        that the code generator wrote in vectors is left as it is (that takes half as long).
        """
        _check_calls(text)
        module = llvm.parse_assembly(text)
        if optimise:
            tuning = llvm.create_pipeline_tuning_options(speed_level=1)
            tuning.loop_vectorization = True
            tuning.slp_vectorization = True
            builder = llvm.create_pass_builder(self._machine, tuning)
            builder.getModulePassManager().run(module, builder)
        code: bytes = self._machine.emit_object(module)
        return code

    def engine(self) -> llvm.ExecutionEngine:
        """A loader of object files."""
        empty = llvm.parse_assembly(f'target triple = "{llvm.get_process_triple()}"')
        return llvm.create_mcjit_compiler(empty, self._machine)

    @cached_property
    def identity(self) -> str:
        """All that code depends on beside the kernel, as text."""
        return f"{FORMAT}|{llvmlite.__version__}|{_numba_version()}|{self.target}"


@cache
def _numba_version() -> str:
    """The version of Numba without importing it: the name of the folder pip keeps beside it."""
    found = find_spec("numba")
    if found is not None and found.origin is not None:
        kept = list(Path(found.origin).parent.parent.glob("numba-*.dist-info"))
        if len(kept) == 1:
            return kept[0].name
    from importlib.metadata import version  # asks every folder, and takes 10 ms to import

    return version("numba")


_DECLARED = re.compile(r'^declare [^@]*@"?([^"(]+)"?\(', re.MULTILINE)


def _check_calls(text: str) -> None:
    """Kernels call the C library's mathematics and nothing else."""
    for name in _DECLARED.findall(text):
        if not name.startswith("llvm.") and name not in (*LIBRARY_FUNCTIONS, "nndsl_yield"):
            raise ValueError(f"a kernel calls {name}")


@cache
def bind_library() -> None:
    """Make the C library's functions known to the loader, and `nndsl_yield`."""
    names = ("ucrtbase", "kernel32") if sys.platform == "win32" else (None,)
    libraries = [ctypes.CDLL(name) for name in names]
    if sys.platform.startswith("linux") and not hasattr(libraries[0], "expf"):
        libraries.append(ctypes.CDLL("libm.so.6"))
    for name in LIBRARY_FUNCTIONS:
        _bind(name, name, libraries)
    _bind("nndsl_yield", "SwitchToThread" if sys.platform == "win32" else "sched_yield", libraries)


def _bind(symbol: str, name: str, libraries: Iterable[ctypes.CDLL]) -> None:
    for library in libraries:
        function = getattr(library, name, None)
        if function is not None:
            llvm.add_symbol(symbol, ctypes.cast(function, ctypes.c_void_p).value)
            return


class Library:
    """Loaded machine code: addresses by name. Keep it as long as the addresses are used."""

    def __init__(self, machine: Machine, objects: Iterable[bytes]) -> None:
        bind_library()
        self._engine = machine.engine()
        self._engine.set_object_cache(None, None)
        for code in objects:
            self._engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Address of a function; KeyError when there is none."""
        found: int = self._engine.get_function_address(name)
        if not found:
            raise KeyError(name)
        return found


@contextmanager
def _in_haste() -> Iterator[None]:
    """No garbage collection meanwhile: compiling makes many objects that live until its end. And
    threads change places at once when LLVM has done: Python would let it wait for 5 ms each time.
    """
    enabled, interval = gc.isenabled(), sys.getswitchinterval()
    gc.disable()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        if enabled:
            gc.enable()


class Compiler:
    """Object code for kernels and other LLVM texts, through the cache."""

    def __init__(self, target: Target, store: Cache | None = None) -> None:
        self.machine = Machine(target)
        self.compiled = 0  # how many were not in the cache
        self._store = store if store is not None else Cache()

    def objects(
        self,
        texts: Sequence[tuple[str, str]],
        kernels: Sequence[Kernel],
        also: Sequence[Kernel] = (),
    ) -> list[bytes]:
        """One object file for each (name, LLVM text), then one for each kernel.

        Kernels in `also` go to the cache only.
        """
        wanted = list({kernel.name: kernel for kernel in (*kernels, *also)}.values())
        found = {k.name: self._store.load(self._key(k.name, content(k))) for k in wanted}
        found |= {name: self._store.load(self._key(name, text)) for name, text in texts}
        missing = [k for k in wanted if found[k.name] is None]
        fresh = self._fresh(missing, [(name, text) for name, text in texts if found[name] is None])
        names = [name for name, _ in texts] + [k.name for k in kernels]
        return [found[name] or fresh[name] for name in names]

    def _fresh(
        self, missing: Sequence[Kernel], texts: Sequence[tuple[str, str]]
    ) -> dict[str, bytes]:
        """What is not in the cache, compiled and put there."""
        with _in_haste():
            fresh = self._compile(missing, texts) if missing or texts else {}
        for kernel in missing:
            self._store.store(self._key(kernel.name, content(kernel)), fresh[kernel.name])
        for name, text in texts:
            self._store.store(self._key(name, text), fresh[name])
        self.compiled += len(fresh)
        return fresh

    def _key(self, name: str, text: str) -> str:
        full = f"{self.machine.identity}|{name}|{text}"
        return hashlib.sha256(full.encode()).hexdigest()

    def _compile(
        self, kernels: Sequence[Kernel], texts: Sequence[tuple[str, str]]
    ) -> dict[str, bytes]:
        # long ones first: at the end LLVM has little left to do alone
        glue = sorted((k for k in kernels if k.kind == "glue"), key=lambda k: -len(k.text))
        written = [k for k in kernels if k.kind != "glue"]
        from concurrent.futures import ThreadPoolExecutor  # not where all is in the cache

        with ThreadPoolExecutor(1) as worker:
            jobs: dict[str, Future[bytes]] = {}
            for name, text in texts:
                jobs[name] = worker.submit(self.machine.object_code, text, optimise=False)
            for kernel in written:
                jobs[kernel.name] = worker.submit(self._written, kernel)
            lower = _lowering() if glue else None
            for kernel in glue:
                assert lower is not None
                text = lower(kernel)
                jobs[kernel.name] = worker.submit(self.machine.object_code, text, optimise=True)
            return {name: job.result() for name, job in jobs.items()}

    def _written(self, kernel: Kernel) -> bytes:
        """A kernel whose LLVM text is written by the code generator itself."""
        from nndsl.codegen.contraction import llvm_text
        from nndsl.codegen.transpose import transpose_text

        target = self.machine.target
        if kernel.contraction is not None:
            text = llvm_text(kernel.contraction, kernel.name, target)
        else:
            text = transpose_text(kernel.element, kernel.name, target)
        return self.machine.object_code(text, optimise=False)


def content(kernel: Kernel) -> str:
    """What a kernel's code is made from, as text: the same for equal kernels."""
    made_from = kernel.text if kernel.contraction is None else repr(kernel.contraction)
    return f"{kernel.kind}|{','.join(kernel.signature)}|{kernel.element.value}|{made_from}"


@cache
def _lowering() -> Callable[[Kernel], str]:
    from nndsl.runtime.lowering import Lowering

    return Lowering().llvm_text
