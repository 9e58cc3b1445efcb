"""Nested tuples, lists and dicts of arrays, and the parameters of layers, as flat lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dezero.core.variable import Variable, is_array


def is_layer(x: Any) -> bool:
    """Whether ``x`` is a Layer: something with named parameters."""
    return hasattr(x, "named_params")


def leaves(tree: Any) -> Iterator[Any]:
    """Give what is at the ends of nested tuples, lists, dicts and layers; ``None`` is nothing."""
    if isinstance(tree, tuple | list):
        for item in tree:
            yield from leaves(item)
    elif isinstance(tree, dict):
        for item in tree.values():
            yield from leaves(item)
    elif is_layer(tree):
        yield from tree.params()
    elif tree is not None:
        yield tree


def rebuilt(tree: Any, values: Iterator[Any]) -> Any:
    """Return the structure of ``tree`` with ``values`` at its ends; a layer becomes a dict."""
    if isinstance(tree, tuple | list):
        items = [rebuilt(item, values) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    if isinstance(tree, dict):
        return {key: rebuilt(item, values) for key, item in tree.items()}
    if is_layer(tree):
        return {name: next(values) for name, _ in tree.named_params()}
    return None if tree is None else next(values)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return ``tree`` with ``function`` applied at its ends."""
    return rebuilt(tree, iter([function(leaf) for leaf in leaves(tree)]))


def plain(tree: Any) -> Any:
    """Return ``tree`` with the arrays of Variables in place of these."""
    if isinstance(tree, tuple | list | dict | Variable):
        return mapped(lambda x: x.data if isinstance(x, Variable) else x, tree)
    return tree


def matching(tree: Any, like: Any, what: str) -> list[Any]:
    """Return the ends of ``tree``; raise ValueError unless it has the structure of ``like``."""
    got, wanted = _skeleton(tree), _skeleton(like)
    if got != wanted:
        raise ValueError(f"{what}: got the structure {got}; it wants that of its value, {wanted}")
    return list(leaves(tree))


def _skeleton(tree: Any) -> Any:
    if isinstance(tree, tuple | list):
        return (
            type(tree)(_skeleton(item) for item in tree)
            if not hasattr(tree, "_fields")
            else (tuple(_skeleton(item) for item in tree))
        )
    if isinstance(tree, dict):
        return {key: _skeleton(item) for key, item in tree.items()}
    if is_layer(tree):
        return {name: "*" for name, _ in tree.named_params()}
    return None if tree is None else "*"


def as_floating(x: Any, what: str) -> Any:
    """Return ``x``, a number, array or Variable, as something with a derivative, or raise."""
    if isinstance(x, int | float | complex | np.generic):
        x = np.asarray(x)
        kind = x.dtype.kind
    elif isinstance(x, Variable) or is_array(x):
        kind = x.dtype.kind
    else:
        raise TypeError(
            f"{what}: got {type(x).__name__} where it differentiates; it wants floating-point "
            "numbers, arrays or Variables, in nested tuples, lists, dicts or layers"
        )
    if kind not in "fc":
        raise TypeError(
            f"{what}: got {x.dtype} where it differentiates; make it floating-point (1.0 instead "
            "of 1, x.astype(float)), or leave it out of argnums"
        )
    return x
