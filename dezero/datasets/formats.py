"""The file formats of MNIST and CIFAR. Neither runs code when it is read."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def read_idx(path: str, axes: int) -> Array:
    """Read a gzipped IDX file of uint8: two zeros, type, axes, the lengths, the values.

    Parameters
    ----------
    path : str
        The file.
    axes : int
        How many axes the array must have.

    Returns
    -------
    ndarray of uint8
        The array, which may be written to.

    Raises
    ------
    ValueError
        If the file is another one or not whole.

    Notes
    -----
    Format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".

    Examples
    --------
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "labels.gz")
    ...     with gzip.open(path, "wb") as file:
    ...         _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    ...     read_idx(path, axes=1)
    array([5, 0, 4], dtype=uint8)
    """
    try:
        with gzip.open(path) as file:
            content = file.read()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"MNIST: {path} is not a whole gzip file: {error}") from error
    start = 4 + 4 * axes
    magic = bytes([0, 0, 8, axes])
    if len(content) < start or content[:4] != magic:
        raise ValueError(
            f"MNIST: {path} is no IDX file of uint8 with {axes} axes: it starts with "
            f"{content[:4].hex()!r}, not {magic.hex()!r}"
        )
    shape = struct.unpack(f">{axes}I", content[4:start])
    if len(content) - start != math.prod(shape):
        raise ValueError(
            f"MNIST: {path} announces shape {shape}, which is {math.prod(shape)} bytes, "
            f"but has {len(content) - start}"
        )
    return np.frombuffer(bytearray(content), np.uint8, offset=start).reshape(shape)


def read_cifar(path: str, names: list[str], label_bytes: int) -> tuple[Array, Array]:
    """Read files of records, some bytes of label and 3072 of pixels, out of a tar archive.

    Parameters
    ----------
    path : str
        The archive, gzipped. It is read in memory; nothing is unpacked to disk.
    names : list of str
        The files, in the order wanted.
    label_bytes : int
        Bytes of label before the pixels of an image.

    Returns
    -------
    labels : ndarray of uint8, shape (N, label_bytes)
        What comes before the pixels.
    pixels : ndarray of uint8, shape (N, 3, 32, 32)
        The images.

    Raises
    ------
    ValueError
        If the archive is not whole, or has not these files of records.

    Notes
    -----
    Format: the "binary version" of A. Krizhevsky's CIFAR-10 and CIFAR-100.

    Examples
    --------
    >>> import io, os, tarfile, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "cifar.tar.gz")
    ...     with tarfile.open(path, "w:gz") as archive:
    ...         member = tarfile.TarInfo("a.bin")
    ...         member.size = 3073
    ...         archive.addfile(member, io.BytesIO(bytes([7]) + bytes(3072)))
    ...     labels, pixels = read_cifar(path, ["a.bin"], label_bytes=1)
    >>> labels, pixels.shape
    (array([[7]], dtype=uint8), (1, 3, 32, 32))
    """
    import tarfile

    found: dict[str, bytes] = {}
    try:
        # A stream is read once from start to end, so nothing is unpacked twice.
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                if member.name in names and (file := archive.extractfile(member)) is not None:
                    found[member.name] = file.read()
                if len(found) == len(names):
                    break
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"CIFAR: {path} is not a whole tar.gz archive: {error}") from error
    record = label_bytes + 3 * 32 * 32
    for name in names:
        if name not in found:
            raise ValueError(f"CIFAR: {path} has no file {name!r}")
        if len(found[name]) % record:
            raise ValueError(
                f"CIFAR: {name!r} in {path} has {len(found[name])} bytes, "
                f"not a multiple of the {record} of one image and its label"
            )
    rows = [np.frombuffer(found.pop(name), np.uint8).reshape(-1, record) for name in names]
    labels = np.concatenate([row[:, :label_bytes] for row in rows])
    pixels = np.concatenate([row[:, label_bytes:] for row in rows])
    return labels, pixels.reshape(-1, 3, 32, 32)
