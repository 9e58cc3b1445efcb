"""Where the time and the memory of a run went, by function, layer and line."""

from dezero.profiling.profiler import profile
from dezero.profiling.rows import Peak, Row

__all__ = ["Peak", "Row", "profile"]
