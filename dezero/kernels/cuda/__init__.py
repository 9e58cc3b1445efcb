"""Versions of the kernels for CuPy arrays: what takes several passes as plain calls, in one.

Named like the references, with their arguments; ``NotImplemented`` is left to the reference, which
runs on CuPy arrays as well. CUDA C is there in expressions alone: CuPy makes kernels of them, and
compiles each when it is first called with a dtype.
"""
