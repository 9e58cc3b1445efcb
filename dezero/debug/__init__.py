"""Finding bugs: a NaN, a written array, graph memory that stays alive, a lost gradient."""

from dezero.debug.anomaly import AnomalyError, BroadcastWarning, OverwrittenError, detect_anomaly
from dezero.debug.explanation import Explanation, Explanations, explain
from dezero.debug.memory import live

__all__ = [
    "AnomalyError",
    "BroadcastWarning",
    "Explanation",
    "Explanations",
    "OverwrittenError",
    "detect_anomaly",
    "explain",
    "live",
]
