"""Function: a node of the graph. The book's form for users, a rule-per-input form for built-ins.

A node holds *edges* to where its inputs came from, not the input variables: what no gradient
rule needs is free to go. An edge is

- the Function that computed the input (an :class:`Output` of it, if it has several outputs),
- the Variable itself, if the input is a leaf that wants a gradient,
- otherwise, for a constant: the number, or the ``(shape, dtype)`` of the array.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from operator import itemgetter
from types import CodeType
from typing import Any, ClassVar
from weakref import ref

import numpy as np

from dezero.core.config import Config
from dezero.core.variable import Variable, as_array, initialised, make

new = object.__new__


class Output:
    """One output of a function that has several: the node that stands behind its variable."""

    __slots__ = ("_depth", "_dtype", "_function", "_shape", "index")
    _written = False

    def __init__(self, function: Function, index: int, y: Any) -> None:
        self._function = function
        self.index = index
        self._depth = function._depth
        self._shape = y.shape
        self._dtype = y.dtype

    def _variable(self) -> Variable | None:
        outputs: Any = self._function._outputs
        return outputs[self.index]()  # type: ignore[no-any-return]


class Function:
    """A differentiable function: subclass it, with ``forward`` on arrays, ``backward`` on Variables.

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

    __slots__ = ("_depth", "_dtype", "_edges", "_outputs", "_saved", "_shape", "__weakref__")

    _written = False
    _rules: ClassVar[tuple[Any, ...] | None] = None  # None: gradients come from `_pull`
    _broadcasts: ClassVar[bool] = False
    _counts: ClassVar[bool] = False  # derivatives are 0 or 1: exact on integers too

    _edges: tuple[Any, ...]
    _saved: Any
    _depth: int
    _outputs: Any
    _shape: tuple[int, ...]
    _dtype: Any

    def forward(self, *xs: Any) -> Any:
        """Compute the outputs from arrays."""
        raise NotImplementedError(f"{self._name} has no forward: define forward(self, *xs)")

    def backward(self, *gys: Any) -> Any:
        """Compute the gradients of the inputs from those of the outputs."""
        raise NotImplementedError(f"{self._name} has no backward: define backward(self, *gys)")

    def __call__(self, *inputs: Any) -> Any:
        if hasattr(self, "_edges"):
            return _fresh(self)(*inputs)
        variables = tuple(
            x if isinstance(x, Variable) else Variable(as_array(x), requires_grad=False)
            for x in inputs
        )
        xs = [initialised(x) for x in variables]
        edges, depth = _edges_of(variables)
        ys, single = _as_outputs(self._run(xs))
        if depth < 0 or not Config.enable_backprop:
            outputs = [make(y, None) for y in ys]
        else:
            outputs = self._record(edges, depth, ys, single)
            self._saved = (variables, ys, tuple(x._data for x in variables))
        return outputs[0] if single else tuple(outputs)

    def _run(self, xs: list[Any]) -> Any:
        """Call ``forward``; an error of NumPy's about shapes gets the function's name and inputs."""
        try:
            return self.forward(*xs)
        except (ValueError, IndexError, TypeError) as error:
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

    def _pull(self, gy: Any, recording: bool) -> Any:
        """Return the gradient of each input (``None``: nothing) from those of the outputs."""
        gys = [g if isinstance(g, Variable) else make(as_array(g), None) for g in self._filled(gy)]
        alive = self._revived()  # held here, so that the weak `outputs` find them
        gxs = self.backward(*gys)
        del alive
        gxs = gxs if isinstance(gxs, tuple) else (gxs,)
        self._check_count(gxs)
        return [
            gx.data if isinstance(gx, Variable) and not recording else gx
            for gx in (
                gx if is_edge(edge) else None for gx, edge in zip(gxs, self._edges, strict=True)
            )
        ]

    def _filled(self, gy: Any) -> tuple[Any, ...]:
        """Return the gradient of every output, zeros for those that nobody used."""
        if isinstance(self._outputs, ref):
            return (gy,)
        return tuple(
            np.zeros(shape, dtype) if g is None else g
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
                raise written_error(self._name, edge)

    @property
    def _name(self) -> str:
        return type(self).__name__

    @property
    def _function(self) -> Function:
        return self

    def _variable(self) -> Variable | None:
        return self._outputs()  # type: ignore[no-any-return]

    @property
    def generation(self) -> int:
        """The largest generation of the inputs (step 16 of the book)."""
        return self._depth - 1

    @property
    def inputs(self) -> tuple[Variable, ...]:
        """The variables that this function was called on."""
        return self._saved[0]  # type: ignore[no-any-return]

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


class Primitive(Function):
    """A built-in function: one gradient rule for each input, written once in plain NumPy.

    A subclass defines ``forward(self, x, W)`` and, for each input that has a derivative, a method
    named ``g`` and the input's name: ``gx(self, gy, W)``. The arguments after ``gy`` are names of
    inputs, or ``y`` for the output: exactly those arrays are kept until backward. A rule runs on
    raw arrays, or on Variables when the backward pass is recorded; NumPy's protocols make the
    same code serve both.

    Functions whose gradients share work define one joint rule instead, ``gradient(self, gy, ...)``
    which returns a tuple; ``self.needs`` says which of its entries are wanted.
    """

    __slots__ = ()

    _names: ClassVar[tuple[str, ...]] = ()
    _joint: ClassVar[bool] = False
    _takes: ClassVar[tuple[Callable[[tuple[Any, ...]], tuple[Any, ...]] | None, ...]] = ()
    _wants: ClassVar[tuple[tuple[int, ...], ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "forward" not in cls.__dict__:
            return
        cls._names = _arguments(cls.forward)[1:]
        joint = getattr(cls, "gradient", None)
        cls._joint = joint is not None
        if cls._joint:
            rules = [joint] * len(cls._names)
        else:
            rules = [getattr(cls, "g" + name, None) for name in cls._names]
        cls._set_rules(rules, skip=2)

    @classmethod
    def _set_rules(cls, rules: list[Any], skip: int) -> None:
        """Work out, once a class, which arrays each rule keeps: ``skip`` arguments are not such."""
        position = {name: i for i, name in enumerate((*cls._names, "y"))}
        wants = [
            () if rule is None else tuple(position[a] for a in _arguments(rule)[skip:])
            for rule in rules
        ]
        cls._wants = tuple(wants)
        cls._takes = tuple(
            None if rule is None else _taker(want) for rule, want in zip(rules, wants, strict=True)
        )
        cls._rules = None if cls._joint else tuple(rules)

    def __call__(self, *inputs: Any) -> Any:
        if hasattr(self, "_edges"):
            return _fresh(self)(*inputs)
        xs = [initialised(x) if isinstance(x, Variable) else x for x in inputs]
        y = self._run([np.asarray(x) if isinstance(x, np.generic) else x for x in xs])
        single = type(y) is not tuple
        edges, depth = _edges_of(inputs)
        if depth >= 0 and Config.enable_backprop:
            values = (*xs, y)
            self._saved = self._kept(edges, values)
            if any(saved is not None for saved in self._saved):
                outputs = self._record(edges, depth, (y,) if single else y, single)
                return outputs[0] if single else tuple(outputs)
        return make(y, None) if single else tuple(make(part, None) for part in y)

    def _kept(self, edges: tuple[Any, ...], values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return, for each input that wants a gradient, what its rule is called with."""
        return tuple(
            take(values) if take is not None and is_edge(edge) else None
            for edge, take in zip(edges, self._takes, strict=True)
        )

    @property
    def needs(self) -> tuple[bool, ...]:
        """Which inputs want a gradient: a rule may skip the work for the others."""
        return tuple(saved is not None for saved in self._saved)

    def _pull(self, gy: Any, recording: bool) -> Any:
        saved = self._recorded() if recording else self._saved
        gy = gy if isinstance(self._outputs, ref) else self._filled(gy)
        if self._joint:
            args = next(args for args in saved if args is not None)
            gxs = self.gradient(gy, *args)  # type: ignore[attr-defined]
            self._check_count(gxs)
            return [gx if need else None for gx, need in zip(gxs, self.needs, strict=True)]
        return [
            None if args is None else rule(self, gy, *args)
            for rule, args in zip(self._rules or (), saved, strict=True)
        ]

    def backward(self, *gys: Any) -> Any:
        """Return the gradients by hand, as in step 6 of the book: arrays from arrays."""
        recording = any(isinstance(gy, Variable) for gy in gys)
        gxs = self._pull(gys[0] if isinstance(self._outputs, ref) else gys, recording)
        return gxs[0] if len(gxs) == 1 else tuple(gxs)

    def _output_kinds(self) -> list[tuple[Any, Any]]:
        return self._kinds  # type: ignore[attr-defined, no-any-return]

    def _record(
        self, edges: tuple[Any, ...], depth: int, ys: tuple[Any, ...], single: bool
    ) -> list[Variable]:
        if not single:
            self._kinds = [(y.shape, y.dtype) for y in ys]
        return super()._record(edges, depth, ys, single)

    def _recorded(self) -> tuple[Any, ...]:
        """Return what the rules keep, as Variables that know where they come from."""
        return tuple(
            None
            if args is None
            else tuple(self._variable_of(i, a) for i, a in zip(want, args, strict=True))
            for want, args in zip(self._wants, self._saved, strict=True)
        )

    def _variable_of(self, index: int, array: Any) -> Any:
        """Return value ``index`` (the inputs, then the output) as a Variable in the graph."""
        if index == len(self._edges):
            return attached(array, self)
        edge = self._edges[index]
        return attached(array, edge) if is_edge(edge) else array

    def _arrays(self) -> dict[int, Any]:
        """Return the arrays that are kept, by the number of the input (the output comes last)."""
        return {
            index: array
            for want, args in zip(self._wants, self._saved, strict=True)
            for index, array in zip(want, args or (), strict=False)
        }

    def _check_unwritten(self, edge: Variable) -> None:
        for index, used in self._arrays().items():
            if index < len(self._edges) and self._edges[index] is edge:
                if overwritten(edge, used):
                    raise written_error(self._name, edge)

    @property
    def inputs(self) -> tuple[Variable, ...]:
        """The variables that this function was called on.

        One that nobody holds any more is made again; where its array was not kept, a read-only
        placeholder of its shape and dtype stands for it.
        """
        kept = self._arrays()
        return tuple(_input_of(edge, kept.get(i)) for i, edge in enumerate(self._edges))


class Variadic(Primitive):
    """A built-in function of any number of inputs, ``forward(self, *xs)``.

    It has a joint rule: ``gradient(self, gy)``, or ``gradient(self, gy, xs)`` to keep the inputs.
    """

    __slots__ = ()

    def _kept(self, edges: tuple[Any, ...], values: tuple[Any, ...]) -> tuple[Any, ...]:
        args = (values[:-1],) if self._wants[0] else ()
        return tuple(args if is_edge(edge) else None for edge in edges)

    def _recorded(self) -> tuple[Any, ...]:
        if not self._wants[0]:
            return self._saved  # type: ignore[no-any-return]
        (xs,) = next(args for args in self._saved if args is not None)
        variables = tuple(self._variable_of(i, x) for i, x in enumerate(xs))
        return tuple(None if args is None else (variables,) for args in self._saved)

    def _arrays(self) -> dict[int, Any]:
        args: tuple[Any, ...] = next((args for args in self._saved if args is not None), ())
        return dict(enumerate(args[0])) if args else {}


class Elementwise(Primitive):
    """A built-in function of NumPy's element-by-element kind: its inputs broadcast.

    Declared on one line by :func:`elementwise`; rules take no ``self``. The engine sums each
    gradient back to the shape of its input.
    """

    __slots__ = ()

    _broadcasts = True

    def _pull(self, gy: Any, recording: bool) -> Any:
        saved = self._recorded() if recording else self._saved
        return [
            None if args is None else rule(gy, *args)
            for rule, args in zip(self._rules or (), saved, strict=True)
        ]


def elementwise(
    name: str, forward: Callable[..., Any], *, counts: bool = False, **rules: Callable[..., Any]
) -> type[Elementwise]:
    """Declare an element-by-element function in one line.

    Parameters
    ----------
    name : str
        The name of the class.
    forward : callable
        The function on arrays.
    counts : bool, default False
        Whether every derivative is a whole number that does not depend on the values, so that
        integer variables have gradients.
    **rules : callable
        ``gx=lambda gy, x: ...`` for one argument; ``gx0=..., gx1=...`` for two. ``None`` for an
        argument without a derivative.

    Examples
    --------
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.core.function import elementwise
    >>> Square = elementwise("Square", np.square, gx=lambda gy, x: gy * 2 * x)
    >>> Square()(Variable(np.array(3.0)))
    variable(9.0)
    """

    class Declared(Elementwise):
        __slots__ = ()

    Declared.__name__ = Declared.__qualname__ = name
    Declared.forward = staticmethod(forward)  # type: ignore[method-assign]
    Declared._names = tuple(argument[1:] for argument in rules)
    Declared._set_rules(list(rules.values()), skip=1)
    Declared._counts = counts
    return Declared


def unary(cls: type[Elementwise], x: Any) -> Variable:
    """Apply an elementwise function of one argument: ``cls()(x)`` without the general case's cost."""
    depth = 0
    if isinstance(x, Variable):
        a = x._data
        edge = x._node
        if edge is not None:
            depth = edge._depth
        elif x.requires_grad:
            edge = x
    else:
        a = x if type(x) in plain_types else operand(x, cls)
        edge = None
    try:
        y = cls.forward(a)  # type: ignore[arg-type]
    except (ValueError, TypeError, AttributeError) as error:
        raise explained(error, cls.__name__, [a]) from error
    out: Variable = new(Variable)
    out._data = y
    out._written = False
    out.grad = None
    out.name = None
    take = cls._takes[0]
    if edge is None or take is None or not Config.enable_backprop:
        out._data = y if hasattr(y, "dtype") else as_array(y)
        out._node = None
        out.requires_grad = False
        return out
    node: Elementwise = new(cls)
    out._node = node
    out.requires_grad = True
    node._edges = (edge,)
    node._saved = (take((a, y)),)
    node._depth = depth + 1
    node._outputs = ref(out)
    node._shape = y.shape
    node._dtype = y.dtype
    return out


def binary(cls: type[Elementwise], x0: Any, x1: Any) -> Variable:
    """Apply an elementwise function of two arguments: ``cls()(x0, x1)`` at a third of the cost.

    This is the path of every operator, so it is written out flat (benchmarks/NOTES.md).
    """
    edge0 = edge1 = None
    depth = -1
    if isinstance(x0, Variable):
        a0 = x0._data
        edge0 = x0._node
        if edge0 is not None:
            depth = edge0._depth
        elif x0.requires_grad:
            edge0 = x0
            depth = 0
    else:
        a0 = x0 if type(x0) in plain_types else operand(x0, cls)
    if isinstance(x1, Variable):
        a1 = x1._data
        edge1 = x1._node
        if edge1 is not None:
            if edge1._depth > depth:
                depth = edge1._depth
        elif x1.requires_grad:
            edge1 = x1
            if depth < 0:
                depth = 0
    else:
        a1 = x1 if type(x1) in plain_types else operand(x1, cls)
    try:
        y = cls.forward(a0, a1)  # type: ignore[arg-type]
    except (ValueError, TypeError, AttributeError) as error:
        raise explained(error, cls.__name__, [a0, a1]) from error
    out: Variable = new(Variable)
    out._data = y
    out._written = False
    out.grad = None
    out.name = None
    if depth < 0 or not Config.enable_backprop:
        out._data = y if hasattr(y, "dtype") else as_array(y)
        out._node = None
        out.requires_grad = False
        return out
    node: Elementwise = new(cls)
    out._node = node
    out.requires_grad = True
    take0, take1 = cls._takes
    values = (a0, a1, y)
    node._edges = (
        constant(a0) if edge0 is None else edge0,
        constant(a1) if edge1 is None else edge1,
    )
    node._saved = (
        None if edge0 is None or take0 is None else take0(values),
        None if edge1 is None or take1 is None else take1(values),
    )
    node._depth = depth + 1
    node._outputs = ref(out)
    node._shape = y.shape
    node._dtype = y.dtype
    return out


plain_types = frozenset((np.ndarray, int, float, bool, complex))


def operand(x: Any, cls: type[Function]) -> Any:
    """Return ``x`` as something to compute with; numbers stay numbers, so that they are weak."""
    if x is None or isinstance(x, str | bytes | dict):
        raise TypeError(f"{cls.__name__} got {describe(x)}; it wants variables, arrays or numbers")
    return x if hasattr(x, "dtype") else np.asarray(x)


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
        return original  # type: ignore[no-any-return]
    return make(array, node)


def overwritten(leaf: Variable, used: Any) -> bool:
    """Whether ``used``, the array that a function read from ``leaf``, was written in place."""
    now = leaf._data
    return now is not used and isinstance(used, np.ndarray) and np.may_share_memory(now, used)


def written_error(name: str, leaf: Variable) -> RuntimeError:
    """Return the error for a leaf that was written between forward and backward."""
    what = f" {leaf.name!r}" if leaf.name else ""
    return RuntimeError(
        f"backward through {name}: the data of variable{what} of shape {leaf.shape} was changed "
        "in place after the function read it (x.data += ...), so its gradient would be wrong; "
        "call backward() before changing it, or assign a new array: x.data = x.data + ..."
    )


def explained(error: Exception, name: str, xs: list[Any]) -> Exception:
    """Return ``error`` with the function's name and what it was given.

    The package's own checks begin their messages with the function's name: those stay as they
    are, and so does the type of an error that a caller may want to catch.
    """
    message = str(error)
    if message.startswith(name.lower().rstrip("_") + ":") or message.startswith("dezero"):
        return error
    got = f"{name} got {', '.join(describe(x) for x in xs)}"
    for kind in (np.exceptions.AxisError, IndexError, ValueError, TypeError):
        if isinstance(error, kind):
            return kind(f"{got}: {message}")
    error.add_note(got)
    return error


def describe(x: Any) -> str:
    """Return ``float32 (3, 4)`` for an array, the type's name for something else."""
    if x is None:
        return "None"
    return f"{x.dtype} {x.shape}" if hasattr(x, "dtype") else type(x).__name__


def _fresh(function: Function) -> Function:
    """Return a copy of ``function`` that has not been called: each call is a node of its own."""
    twin = copy.copy(function)
    for name in Function.__slots__[:-1]:
        if hasattr(twin, name):
            delattr(twin, name)
    return twin


def _edges_of(inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], int]:
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


def _as_outputs(ys: Any) -> tuple[tuple[Any, ...], bool]:
    single = not isinstance(ys, tuple)
    return tuple(as_array(y) for y in ((ys,) if single else ys)), single


def _arguments(function: Any) -> tuple[str, ...]:
    code: CodeType = function.__code__
    count = code.co_argcount + bool(code.co_flags & 4)  # 4: takes *args
    return code.co_varnames[:count]


def _taker(want: tuple[int, ...]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Return a fast function that picks entries of a tuple, as a tuple."""
    if len(want) > 1:
        return itemgetter(*want)
    if not want:
        return lambda values: ()
    (i,) = want
    return lambda values: (values[i],)


def _input_of(edge: Any, kept: Any) -> Variable:
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
    return np.broadcast_to(np.zeros((), dtype), shape)
