"""Layers: functions with parameters (steps 44, 45 and 53 to 60 of the book)."""

from dezero.core import Parameter
from dezero.layers.attention import MultiHeadAttention
from dezero.layers.base import Layer
from dezero.layers.convolution import Conv2d, Deconv2d
from dezero.layers.embedding import Embedding, EmbedID
from dezero.layers.linear import Linear
from dezero.layers.normalization import BatchNorm, Dropout, LayerNorm
from dezero.layers.recurrent import LSTM, RNN

__all__ = [
    "LSTM",
    "RNN",
    "BatchNorm",
    "Conv2d",
    "Deconv2d",
    "Dropout",
    "EmbedID",
    "Embedding",
    "Layer",
    "LayerNorm",
    "Linear",
    "MultiHeadAttention",
    "Parameter",
]
