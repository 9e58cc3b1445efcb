"""The few hot loops, as functions on arrays; here the NumPy reference of each.

Every kernel honours ``__array_function__`` (:func:`dezero.core.dispatched`): called with a
Variable it records the differentiable function that stands for it, so that a gradient rule which
calls kernels can itself be differentiated. ``dezero/functions`` checks what a user gives and
calls the kernels; a kernel trusts its arguments.
"""
