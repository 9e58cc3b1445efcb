"""NumPy's functions on Variables: what ``np.name(v)`` calls, a file a theme."""
