"""Layers: functions with parameters (steps 44, 45 and 53 to 60 of the book)."""

from dezero.core import Parameter
from dezero.layers.attention import MultiHeadAttention
from dezero.layers.base import Layer
from dezero.layers.convolution import Conv1d, Conv2d, Deconv1d, Deconv2d
from dezero.layers.embedding import Embedding, EmbedID
from dezero.layers.linear import Linear
from dezero.layers.normalization import BatchNorm, Dropout, GroupNorm, LayerNorm, RMSNorm
from dezero.layers.recurrent import GRU, LSTM, RNN

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "BatchNorm",
    "Conv1d",
    "Conv2d",
    "Deconv1d",
    "Deconv2d",
    "Dropout",
    "EmbedID",
    "Embedding",
    "GroupNorm",
    "Layer",
    "LayerNorm",
    "Linear",
    "MultiHeadAttention",
    "Parameter",
    "RMSNorm",
]
