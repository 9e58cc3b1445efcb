"""Finding bugs: where a NaN, a written array or graph memory that stays alive comes from."""

from dezero.debug.anomaly import AnomalyError, BroadcastWarning, OverwrittenError, detect_anomaly
from dezero.debug.memory import live

__all__ = ["AnomalyError", "BroadcastWarning", "OverwrittenError", "detect_anomaly", "live"]
