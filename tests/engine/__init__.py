"""Tests of the engine, ``dezero.core``."""
