"""Function: a node of the graph, in the book's form.

A node holds *edges* to where its inputs came from, not the input variables: what no gradient
rule needs is free to go. An edge is

- the Function that computed the input (an :class:`Output` of it, if it has several outputs),
- the Variable itself, if the input is a leaf that wants a gradient,
- otherwise, for a constant: the number, or the ``(shape, dtype)`` of the array.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar
from weakref import ref

import numpy as np

from dezero.core.config import Config
from dezero.core.variable import HEIGHT, Variable, as_array, initialised, make
from dezero.core.watch import origins, run_watched, watching


class Output:
    """One output of a function that has several: the node that stands behind its variable."""

    __slots__ = ("_depth", "_dtype", "_function", "_shape", "index", "is_cut")
    _written = False

    def __init__(self, function: Function, index: int, y: Any) -> None:
        self._function = function
        self.index = index
        self._depth = function._depth
        self._shape = y.shape
        self._dtype = y.dtype
        self.is_cut = False

    def _cut(self) -> None:
        """Lead no further: the gradient stops here, at the variable."""
        self.is_cut = True

    def _variable(self) -> Variable | None:
        outputs: Any = self._function._outputs
        return outputs[self.index]()


class Function:
    """A differentiable function: subclass it with ``forward`` and ``backward``.

    ``forward(*xs)`` receives arrays and returns an array or a tuple of arrays.
    ``backward(*gys)`` receives the gradient of each output, as Variables (zeros for an output
    that was not used), and returns the gradient of each input; what it computes with Variables
    is differentiable again.

    Attributes
    ----------
    inputs : tuple of Variable
        What the function was called on; ``input`` where it is one.
    outputs : tuple of weakref to Variable
        What it returned, held weakly; ``output`` where it is one.
    generation : int
        The largest generation of the inputs.

    Notes
    -----
    Source: steps 2, 6, 11-13, 16 and 17 of the book. An instance that is called again works on
    a copy of itself, so that the first graph stays intact.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Function, Variable
    >>> class Square(Function):
    ...     def forward(self, x):
    ...         return x**2
    ...
    ...     def backward(self, gy):
    ...         return 2 * self.input * gy
    >>> x = Variable(np.array(3.0))
    >>> y = Square()(x)
    >>> y.backward()
    >>> y, x.grad
    (variable(9.0), variable(6.0))
    """

    __slots__ = (
        "__weakref__",
        "_depth",
        "_dtype",
        "_edges",
        "_kinds",
        "_outputs",
        "_read",
        "_saved",
        "_shape",
    )

    _written = False
    _rules: ClassVar[tuple[Any, ...] | None] = None  # None: gradients come from `_pull`
    _large_rules: ClassVar[tuple[Any, ...] | None] = None  # of an elementwise function
    _broadcasts: ClassVar[bool] = False
    _counts: ClassVar[bool] = False  # derivatives are 0 or 1: exact on integers too
    _linear: ClassVar[bool] = False  # in all array inputs together: its own forward-mode rule

    _edges: tuple[Any, ...]
    _saved: Any
    _depth: int
    _outputs: Any
    _shape: tuple[int, ...]
    _dtype: Any
    _read: Any  # the array of a leaf that the output is a view of
    _kinds: list[tuple[Any, Any]]  # shape and dtype of each output, where they are several

    def forward(self, *xs: Any) -> Any:
        """Compute the outputs from arrays."""
        raise NotImplementedError(f"{self._name} has no forward: define forward(self, *xs)")

    def backward(self, *gys: Any) -> Any:
        """Compute the gradients of the inputs from those of the outputs."""
        raise NotImplementedError(f"{self._name} has no backward: define backward(self, *gys)")

    def __call__(self, *inputs: Any) -> Any:
        """Compute the outputs, and become a node of the graph."""
        if hasattr(self, "_edges"):
            return fresh(self)(*inputs)
        for x in inputs:
            if hasattr(x, "_outranks") and x._outranks(*inputs):  # an example of vmap's
                return x._apply(self, *inputs)
        variables = tuple(
            x if isinstance(x, Variable) else Variable(as_array(x), requires_grad=False)
            for x in inputs
        )
        xs = [as_array(initialised(x)) for x in variables]
        edges, depth = edges_of(variables)
        result = run_watched(self, xs, self._run, inputs) if watching.on else self._run(xs)
        ys, single = _as_outputs(self._name, result)
        if depth < 0 or not Config.enable_backprop:
            outputs = [make(y, None) for y in ys]
        else:
            outputs = self._record(edges, depth, ys, single)
            self._saved = (variables, ys, tuple(x._data for x in variables))
        return outputs[0] if single else tuple(outputs)

    def _run(self, xs: list[Any]) -> Any:
        """Call ``forward``; an error gets the function's name and inputs."""
        try:
            return self.forward(*xs)
        except AttributeError as error:
            if type(error) is AttributeError and any(x is None for x in xs):
                raise explained(TypeError("None is not an array"), self._name, xs) from error
            explained(error, self._name, xs)
            raise
        except Exception as error:
            raise explained(error, self._name, xs) from error

    def _record(
        self, edges: tuple[Any, ...], depth: int, ys: tuple[Any, ...], single: bool
    ) -> list[Variable]:
        """Make this function a node of the graph, and return the variables of its outputs."""
        self._edges = edges
        self._depth = depth + 1
        if single:
            outputs = [make(ys[0], self)]
            self._adopt(outputs[0])
        else:
            outputs = [make(y, Output(self, i, y)) for i, y in enumerate(ys)]
            self._outputs = tuple(ref(y) for y in outputs)
        return outputs

    def _adopt(self, y: Variable) -> None:
        """Take ``y`` for the one output of this function."""
        if not hasattr(self, "_depth"):
            self._edges, self._saved, self._depth = (), ((), (), ()), 1
        self._outputs = ref(y)
        self._shape, self._dtype = y._data.shape, y._data.dtype

    def _cut(self) -> None:
        """Lead no further: the gradient stops here, at the variable."""
        self._edges, self._saved = (), None

    def _pull(self, gy: Any, recording: bool, skip: int = -1) -> Any:
        """Return the gradient of each input (``None``: nothing) from those of the outputs.

        Edges of a depth below ``skip`` need none.
        """
        gys = [_shown(g) for g in self._filled(gy)]
        alive = self._revived()  # held here, so that the weak `outputs` find them
        gxs = self.backward(*gys)
        del alive
        gxs = tuple(gxs) if isinstance(gxs, tuple | list) else (gxs,)
        self._check_count(gxs)
        return [
            _gradient(gx, recording) if is_edge(edge) else None
            for gx, edge in zip(gxs, self._edges, strict=True)
        ]

    def _filled(self, gy: Any) -> tuple[Any, ...]:
        """Return the gradient of every output, zeros for those that nobody used."""
        if isinstance(self._outputs, ref):
            return (gy,)
        known = next(getattr(g, "_data", g) for g in gy if g is not None)
        known = known if hasattr(known, "__array_function__") else None  # no array: a number
        return tuple(
            np.zeros(shape, dtype, like=known) if g is None else g
            for g, (shape, dtype) in zip(gy, self._output_kinds(), strict=True)
        )

    def _output_kinds(self) -> list[tuple[Any, Any]]:
        return [(y.shape, y.dtype) for y in self._saved[1]]

    def _revived(self) -> list[Variable]:
        """Return the output variables; those that died are made again from their arrays."""
        if isinstance(self._outputs, ref):
            found = self._outputs()
            y = make(self._saved[1][0], self) if found is None else found
            self._outputs = ref(y)
            return [y]
        alive = []
        for i, (weak, y) in enumerate(zip(self._outputs, self._saved[1], strict=True)):
            found = weak()
            alive.append(make(y, Output(self, i, y)) if found is None else found)
        self._outputs = tuple(ref(y) for y in alive)
        return alive

    def _check_count(self, gxs: tuple[Any, ...]) -> None:
        if len(gxs) != len(self._edges):
            raise ValueError(
                f"{self._name}.backward returned {len(gxs)} gradients for {len(self._edges)} "
                "inputs; return one for each input, None where there is none"
            )

    def _check_unwritten(self, edge: Variable) -> None:
        """Raise if ``edge``, a leaf, was written in place after this function read it."""
        for x, used in zip(self._saved[0], self._saved[2], strict=True):
            if x is edge and overwritten(edge, used):
                raise written_error(self, edge)

    @property
    def _name(self) -> str:
        return type(self).__name__

    @property
    def _function(self) -> Function:
        return self

    def _variable(self) -> Variable | None:
        return self._outputs()

    @property
    def generation(self) -> int:
        """The largest generation of the inputs (step 16 of the book)."""
        return (self._depth - 1) % HEIGHT  # counted from the floor of its level: levels.py

    @property
    def inputs(self) -> tuple[Variable, ...]:
        """The variables that this function was called on; none once the graph was cut."""
        if not self._saved:
            return ()
        variables, _, arrays = self._saved
        return tuple(map(_as_called, variables, arrays, self._edges))

    @property
    def outputs(self) -> tuple[ref[Variable], ...]:
        """Weak references to the variables that this function returned."""
        return (self._outputs,) if isinstance(self._outputs, ref) else self._outputs

    @property
    def input(self) -> Variable:
        """The input of a function of one argument."""
        if len(self.inputs) != 1:
            raise AttributeError(f"{self._name} has {len(self.inputs)} inputs: use .inputs")
        return self.inputs[0]

    @property
    def output(self) -> Variable | None:
        """The output of a function of one result; ``None`` once nobody holds it."""
        if not isinstance(self._outputs, ref):
            raise AttributeError(f"{self._name} has {len(self._outputs)} outputs: use .outputs")
        return self._outputs()


def _as_called(x: Variable, used: Any, edge: Any) -> Variable:
    """Return ``x``, or a variable of what it was when ``x[i] = v`` has changed it since."""
    if is_edge(edge):
        return x if x is edge or x._node is edge else attached(used, edge)
    return x if x._node is None and x._data is used else make(as_array(used), None)


def _gradient(gx: Any, recording: bool) -> Any:
    """Return what a user's backward gave as the walk wants it: an array, or a Variable."""
    if gx is None:
        return gx
    if not (recording and isinstance(gx, Variable)):
        gx = gx.data if isinstance(gx, Variable) else as_array(gx)
    return np.conjugate(gx) if gx.dtype.kind == "c" else gx


def _shown(gy: Any) -> Variable:
    """Return a gradient of the walk as a user's backward expects it, complex ones conjugated."""
    gy = gy if isinstance(gy, Variable) else make(as_array(gy), None)
    return np.conjugate(gy) if gy.dtype.kind == "c" else gy


def is_edge(edge: Any) -> bool:
    """Whether an entry of ``_edges`` leads on: not a constant."""
    return isinstance(edge, Function | Variable | Output)


def constant(x: Any) -> Any:
    """Return what an edge remembers of a constant: a number itself, of an array its kind."""
    return (x.shape, x.dtype) if hasattr(x, "shape") else x


def attached(array: Any, node: Any) -> Variable:
    """Return a Variable of ``array`` whose gradient goes to ``node``, the original if it lives."""
    original = node if isinstance(node, Variable) else node._variable()
    if original is not None and original._data is array:
        return original
    return make(array, node)


def overwritten(leaf: Variable, used: Any) -> bool:
    """Whether ``used``, the array that a function read from ``leaf``, was written in place."""
    now = leaf._data
    return now is not used and isinstance(used, np.ndarray) and np.may_share_memory(now, used)


def written_error(function: Function, leaf: Variable) -> RuntimeError:
    """Return the error for a leaf that was written between forward and backward."""
    what = f" {leaf.name!r}" if leaf.name else ""
    return RuntimeError(
        f"backward through {function._name}: the data of variable{what} of shape {leaf.shape} was "
        f"changed in place, at {leaf._written}, after the function read it{called_at(function)}, "
        "so its gradient would be wrong; call backward() before changing it, or assign a new "
        "array: x.data = x.data + ..."
    )


def called_at(function: Function) -> str:
    """Return ``, at FILE:LINE`` for where ``function`` was called, if somebody traced it."""
    origin = origins.get(function)
    return f", at {origin.place}" if origin else ""


def explained(error: Exception, name: str, xs: list[Any]) -> Exception:
    """Return ``error`` with the function's name and what it was given.

    They begin the message of a plain error of Python's or NumPy's; any other, which a caller may
    want to catch, stays as it is and gets a note. So do the package's own, whose messages begin
    with the function's name, but for the note.
    """
    message = str(error)
    if message.partition(":")[0].replace("_", "") == name.lower() or message.startswith("dezero"):
        return error
    got = ", ".join(describe(x) for x in xs)
    kinds = (np.exceptions.AxisError, np.linalg.LinAlgError, IndexError, ValueError, TypeError)
    of_numpy = type(error).__module__.startswith("numpy")
    for kind in kinds:
        if type(error) is kind or (of_numpy and isinstance(error, kind)):
            told = kind(f"{name} got {got}: {message}")
            vars(told).update(vars(error))  # its notes: it may have passed through layers
            return told
    error.add_note(f"in {name}, called on {got}")
    return error


def note_gradient(error: Exception, function: Function, gy: Any) -> None:
    """Add to an error from a gradient rule which function's it was, and of what shapes."""
    gys = gy if isinstance(gy, list) else [gy]
    edges = function._edges or ()
    xs = [describe_kind(e._shape, e._dtype) for e in edges if is_edge(e)]
    note = (
        f"in the gradient of {function._name} with respect to {', '.join(xs)}; the gradient of "
        f"its output was {', '.join(map(describe, gys))}"
    )
    origin = origins.get(function)
    if origin:
        layers = f", in layer {' > '.join(origin.layers)}" if origin.layers else ""
        note += f"; it was called at {origin.place.quoted}{layers}"
    elif not getattr(error, "__notes__", []):
        note += "; `with dezero.trace():` around the forward pass finds the line that called it"
    error.add_note(note)


def describe(x: Any) -> str:
    """Return ``float32 (3, 4)`` for an array, the type's name for something else."""
    if x is None:
        return "None"
    return describe_kind(x.shape, x.dtype) if hasattr(x, "dtype") else type(x).__name__


def describe_kind(shape: tuple[int, ...], dtype: Any) -> str:
    """Return ``float32 (3, 4)``."""
    return f"{dtype} {shape}"


def fresh(function: Function) -> Function:
    """Return a copy of ``function`` that has not been called: each call is a node of its own."""
    twin = copy.copy(function)
    for name in Function.__slots__[1:]:
        if hasattr(twin, name):
            delattr(twin, name)
    return twin


def edges_of(inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], int]:
    """Return where each input comes from, and the largest depth (-1: nothing to differentiate)."""
    edges = []
    depth = -1
    for x in inputs:
        if not isinstance(x, Variable):
            edges.append(constant(x))
        elif x._node is not None:
            edges.append(x._node)
            depth = max(depth, x._node._depth)
        elif x.requires_grad:
            edges.append(x)
            depth = max(depth, 0)
        else:
            edges.append(constant(x._data))
    return tuple(edges), depth


def _as_outputs(name: str, ys: Any) -> tuple[tuple[Any, ...], bool]:
    """Return what a user's forward gave as arrays, and whether it was one."""
    single = not isinstance(ys, tuple)
    arrays = tuple(as_array(y) for y in ((ys,) if single else ys))
    for y, array in zip((ys,) if single else ys, arrays, strict=True):
        if array.dtype.kind in "OSUMm":
            raise TypeError(
                f"{name}.forward returned {type(y).__name__}; it must return an array, or a tuple "
                "of arrays"
            )
    return arrays, single


def input_of(edge: Any, kept: Any) -> Variable:
    """Return the variable behind an edge, made again from what was kept if nobody holds it."""
    if isinstance(edge, Variable):
        return edge
    if isinstance(edge, Function | Output):
        found = edge._variable()
        if found is not None:
            return found
        return make(_placeholder(edge._shape, edge._dtype) if kept is None else kept, edge)
    if kept is not None:
        return make(as_array(kept), None)
    return make(_placeholder(*edge) if isinstance(edge, tuple) else as_array(edge), None)


def _placeholder(shape: tuple[int, ...], dtype: Any) -> Any:
    unknown = np.nan if np.dtype(dtype).kind in "fc" else 0
    return np.broadcast_to(np.full((), unknown, dtype), shape)
