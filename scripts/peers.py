"""The functions that autograd 1.9.1 and MyGrad 2.5.0 have gradient rules for, by name."""

AUTOGRAD = {
    "numpy": """
        abs absolute add amax amin angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh
        array_split astype atleast_1d atleast_2d atleast_3d broadcast_to clip concatenate conj
        conjugate cos cosh cross cumsum deg2rad degrees diag diagonal diff divide dot dsplit
        einsum exp exp2 expand_dims expm1 fabs fliplr flipud fmax fmin full gradient hsplit hypot
        imag inner kron linspace log log10 log1p log2 logaddexp logaddexp2 matmul max maximum mean
        min minimum mod moveaxis multiply nan_to_num negative outer pad partition power prod
        rad2deg radians ravel real real_if_close reciprocal remainder repeat reshape roll rollaxis
        rot90 sin sinc sinh sort split sqrt square squeeze std subtract sum swapaxes tan tanh
        tensordot tile trace transpose tril triu true_divide var vsplit where
        append array column_stack hstack select stack vstack
    """,
    "numpy.linalg": "cholesky det eig eigh inv norm pinv slogdet solve svd",
    "numpy.fft": """
        fft fft2 fftn fftshift ifft ifft2 ifftn ifftshift irfft irfft2 irfftn rfft rfft2 rfftn
    """,
    "scipy.special": """
        beta betainc betaln digamma erf erfc erfcinv erfinv expit gamma gammainc gammaincc gammaln
        gammasgn i0 i1 iv ive j0 j1 jn logit logsumexp multigammaln polygamma psi rgamma y0 y1 yn
    """,
    "scipy.stats.beta": "cdf logpdf pdf",
    "scipy.stats.chi2": "cdf logpdf pdf",
    "scipy.stats.dirichlet": "logpdf pdf",
    "scipy.stats.gamma": "cdf logpdf pdf",
    "scipy.stats.multivariate_normal": "entropy logpdf pdf",
    "scipy.stats.norm": "cdf logcdf logpdf logsf pdf sf",
    "scipy.stats.poisson": "cdf logpmf pmf",
    "scipy.stats.t": "cdf logcdf logpdf pdf",
    "scipy.linalg": "solve_banded solve_sylvester solve_triangular sqrtm",
    "scipy.signal": "convolve",
    "scipy.integrate": "odeint",
}

MYGRAD = {
    "numpy": """
        abs absolute add amax amin arccos arccosh arcsin arcsinh arctan arctan2 arctanh atleast_1d
        atleast_2d atleast_3d broadcast_to cbrt clip concatenate cos cosh cumprod cumsum divide
        einsum exp exp2 expand_dims expm1 log log10 log1p log2 logaddexp logaddexp2 matmul max
        maximum mean min minimum moveaxis multiply negative positive power prod ravel reciprocal
        repeat reshape roll sin sinc sinh sqrt square squeeze stack std subtract sum swapaxes tan
        tanh transpose true_divide var where
    """,
    "numpy.linalg": "multi_dot norm",
    "numpy.lib.stride_tricks": "sliding_window_view",
}
"""Its own names for reciprocals (sec, csc, cot, coth ...) and for chains of sums are left out."""


def names(peer: dict[str, str], module: str) -> set[str]:
    """Return the names of a module that a peer has rules for."""
    return set(peer.get(module, "").split())
