"""Find the bug: why a parameter has no gradient."""

from dezero.debug.explain import Explanation, Explanations, explain

__all__ = ["Explanation", "Explanations", "explain"]
