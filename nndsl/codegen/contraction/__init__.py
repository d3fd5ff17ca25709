"""Contractions: dense layers, convolutions and their gradients as register-tile kernels."""

from nndsl.codegen.contraction.kernel import align, llvm_text
from nndsl.codegen.contraction.printing import loop_nest
from nndsl.codegen.contraction.problem import extents, flops

__all__ = ["align", "extents", "flops", "llvm_text", "loop_nest"]
