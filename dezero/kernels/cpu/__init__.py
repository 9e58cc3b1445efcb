"""Compiled versions of kernels, by Numba: float32 arrays on the CPU. See ``kernels/table.py``.

``jit`` compiles and launches, ``vectors`` has what a compiler does not find by itself, ``gemm``
multiplies matrices with it; each other file has the kernels of its namesake one folder up.
"""

from dezero.kernels.cpu import workers as workers  # threads of the pool, from the first kernel on
