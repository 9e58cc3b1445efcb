"""Arrays by name in an ``.npz`` file: the only place that reads and writes weight files.

The format is NumPy's own. Nothing in such a file is ever run: Python objects are refused.
"""

from __future__ import annotations

import os
import uuid
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any

import numpy as np


def write_npz(path: Any, arrays: Mapping[str, Any]) -> None:
    """Write arrays to an ``.npz`` file, compressed, whole or not at all.

    It is written under a temporary name in the same folder, and renamed when it is complete.

    Parameters
    ----------
    path : path-like or binary file
        ``.npz`` is added where it is missing. An open file is written to as it is.
    arrays : mapping of str to ndarray
        The content.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    ValueError
        If an array holds Python objects.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> file = io.BytesIO()
    >>> write_npz(file, {"l0/W": np.zeros((2, 3))})
    >>> file.seek(0)
    0
    >>> read_npz(file)["l0/W"].shape
    (2, 3)
    """
    if hasattr(path, "write"):
        _write(path, arrays)
        return
    final = os.fspath(path)
    final = final if final.endswith(".npz") else final + ".npz"
    temporary = f"{final}.{uuid.uuid4().hex}.tmp"
    try:
        with open(temporary, "xb") as file:
            _write(file, arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, final)
    except BaseException:
        with suppress(OSError):
            os.remove(temporary)
        raise


def _write(file: IO[bytes], arrays: Mapping[str, Any]) -> None:
    # np.savez takes names as keywords, so an array called "file" would break it.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def read_npz(path: Any, caller: str = "read_npz") -> dict[str, Any]:
    """Return the arrays of an ``.npz`` file by name.

    Parameters
    ----------
    path : path-like or binary file
        A name without ``.npz`` is tried as it is, then with it.
    caller : str, optional
        What errors begin with.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not an ``.npz`` file, is damaged, or holds Python objects.
    """
    if not hasattr(path, "read"):
        path = os.fspath(path)
        if not os.path.exists(path) and os.path.exists(path + ".npz"):
            path += ".npz"
        with open(path, "rb") as file:
            return _read(file, caller, f"{path} ")
    return _read(path, caller, "")


def _read(file: IO[bytes], caller: str, name: str) -> dict[str, Any]:
    if not zipfile.is_zipfile(file):
        raise ValueError(
            f"{caller}: the file {name}is not an .npz file, or only the beginning of one; "
            "it wants what save_weights or np.savez wrote"
        )
    file.seek(0)
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except Exception as error:  # a wrong byte leads NumPy and zipfile to a dozen kinds of them
        if isinstance(error, ValueError) and "allow_pickle" in str(error):
            raise ValueError(
                f"{caller}: the file {name}holds Python objects, which could run code when they "
                "are loaded: refused. Was an array of dtype object, or None, saved?"
            ) from None
        raise ValueError(f"{caller}: the file {name}is damaged ({error})") from error
    for key, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{caller}: {key!r} in the file {name}is not an array")
    return arrays
