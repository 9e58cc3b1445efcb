"""SciPy on Variables: ``dezero.scipy.special``, ``stats`` and others, each loaded when named.

SciPy's ufuncs take Variables as they are, ``scipy.special.gammaln(v)``; the modules here have
what SciPy writes as ordinary functions, which take plain arrays alone. SciPy is an optional
dependency: ``pip install dezero-rebuilt[scipy]``.
"""
