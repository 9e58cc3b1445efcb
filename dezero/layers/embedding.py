"""EmbedID and Embedding: a table of vectors, one for each whole number."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
from dezero import random
from dezero.core import Parameter, Variable
from dezero.layers.base import Layer, checked_size


class EmbedID(Layer):
    """Look up rows of a table: ``y = W[x]``.

    Parameters
    ----------
    in_size : int
        Number of rows: ``x`` holds numbers from 0 to ``in_size - 1``.
    out_size : int
        Length of a row.
    dtype : dtype, default float32
        Of the table.

    Attributes
    ----------
    W : Parameter, shape (in_size, out_size)
        Drawn from the standard normal distribution.

    Raises
    ------
    ValueError, IndexError
        If a size is not a whole number of at least 1, or ``x`` holds a number without a row.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> L.EmbedID(100, 8)(np.array([[3, 14], [15, 92]])).shape
    (2, 2, 8)
    """

    def __init__(self, in_size: int, out_size: int, dtype: Any = np.float32) -> None:
        rows = checked_size(type(self).__name__, "the number of rows", in_size)
        length = checked_size(type(self).__name__, "the length of a row", out_size)
        self.W = Parameter(random.normal((rows, length), dtype), name="W")

    def forward(self, x: Any) -> Variable:
        """Return the rows, shape ``x.shape + (out_size,)``."""
        return F.embed_id(x, self.W)


class Embedding(EmbedID):
    """Look up rows of a table; :class:`EmbedID` under the name used elsewhere.

    Parameters
    ----------
    num_embeddings : int
        Number of rows.
    embedding_dim : int
        Length of a row.
    dtype : dtype, default float32
        Of the table.

    Examples
    --------
    >>> import numpy as np
    >>> import dezero.layers as L
    >>> L.Embedding(100, 8)(np.array([3, 14])).shape
    (2, 8)
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, dtype: Any = np.float32) -> None:
        super().__init__(num_embeddings, embedding_dim, dtype)
