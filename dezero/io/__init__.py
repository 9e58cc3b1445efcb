"""Reading and writing of files that hold weights."""

from dezero.io.npz import read_npz, write_npz

__all__ = ["read_npz", "write_npz"]
