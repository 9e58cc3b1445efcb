"""Compiled versions of kernels, by Numba: float32 arrays on the CPU. See ``kernels/table.py``.

``jit`` compiles, ``shared`` runs kernels on the threads that ``workers`` keeps awake, ``vectors``
has what a compiler does not find by itself, ``gemm`` multiplies matrices with it; each other file
has the kernels of its namesake one folder up.
"""
