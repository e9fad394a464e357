"""`FlattenScaler`: images flattened to rows and scaled, as the notes do (section 1.2.2)."""

import warnings
from contextlib import suppress
from itertools import product
from math import prod
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from ._descent.arrays import are_finite, astype, namespace
from ._fitting.advice import refuse_file_names, value_advice
from ._fitting.callbacks import CallbackSupportMixin, begin_fit
from ._fitting.inputs import check_place
from ._fitting.memo import active_memo
from ._fitting.onnx import OnnxScalerMixin
from ._fitting.state import replacing_state
from ._lazy.sources import DeviceArray, LazyOutputMixin, is_float32, lazy_method, shape_of, source_of
from ._sklearn import DISPATCHES, Interval, StrOptions, fit_context, float_dtypes


class FlattenScaler(
    LazyOutputMixin,
    CallbackSupportMixin,
    OnnxScalerMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Flatten each image to a row and divide it by 255, as the notes do (section 1.2.2).

    ``X.reshape(len(X), -1) / divisor``: pixels in C order, so that the channels of a pixel are adjacent. The
    output is the only array allocated. A Dask array gives a Dask array, and `fit` reads none of its pixels.

    Parameters
    ----------
    divisor : float, default=255.0
        The divisor of every value, in (0, inf); 255 maps 8-bit pixels to [0, 1]. Pass 1 for images that are
        already scaled.
    dtype : {"float32", "float64"} or None, default=None
        The precision of the output. None keeps float32 and converts anything else to float64.

    Attributes
    ----------
    image_shape_ : tuple of int
        The shape of one image, such as (64, 64, 3); (n_features,) for rows.
    n_features_in_ : int
        The number of values in one image.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if X has names.

    See Also
    --------
    sklearn.preprocessing.StandardScaler : Centres and scales each feature; takes rows only.
    sklearn.preprocessing.FunctionTransformer : Applies any function; does not remember shapes.

    References
    ----------
    "Deep Learning in Python" (notes), section 1.2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_basic import FlattenScaler
    >>> images = np.array([[[0, 51], [102, 255]]], dtype=np.uint8)  # one image of 2 x 2 pixels
    >>> scaler = FlattenScaler().fit(images)
    >>> scaler.transform(images)
    array([[0. , 0.2, 0.4, 1. ]])
    >>> scaler.get_feature_names_out().tolist()
    ['pixel_0_0', 'pixel_0_1', 'pixel_1_0', 'pixel_1_1']
    >>> scaler.inverse_transform([[0.0, 0.2, 0.4, 1.0]])
    array([[[  0.,  51.],
            [102., 255.]]])
    """

    _parameter_constraints = {
        "divisor": [Interval(Real, 0, None, closed="neither")],
        "dtype": [StrOptions({"float32", "float64"}), None],
    }

    def __init__(self, divisor=255.0, *, dtype=None):
        self.divisor = divisor
        self.dtype = dtype

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Remember the shape of the images.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Images with any number of axes, or rows; of any real dtype, and of other libraries as in `fit` of
            the classifiers. The first axis counts images: pass one image as ``image[np.newaxis]``.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If X is not numeric, not finite, sparse, complex or empty.
        TypeError
            If X is an array in a file (of h5py, Zarr, PyTables, netCDF4, h5netcdf or xarray), as NumPy reads
            it as a whole.

        Warns
        -----
        UserWarning
            If `divisor` is 255 and all values, of any dtype, are in [0, 1] already, but not all 0: images
            that are already scaled, or masks of 0 and 1.
        """
        task = begin_fit(self, 0, X, y)
        with replacing_state(self) as fitted:
            fitted._fit(X)
        task.end({})
        return self

    def _fit(self, X):
        source = source_of(X)
        X = source.example() if source.is_lazy else source.X  # no pixel of a Dask array is read
        refuse_file_names(X)
        shape = shape_of(X)
        X = self._validated(X, shape, reset=True)
        if len(shape) > 2:
            if 0 in shape:
                raise ValueError(
                    f"X has the shape {shape}: images without pixels. Pass images of at least one pixel."
                )
            self.n_features_in_ = prod(shape[1:])
            vars(self).pop("feature_names_in_", None)  # from a previous fit on a DataFrame
        if self.divisor == 255 and not source.is_lazy and _is_scaled(X):
            warnings.warn(
                "All values of X are in [0, 1] already, and FlattenScaler would divide them by 255: pass "
                "divisor=1 for images that are already scaled.",
                UserWarning,
                stacklevel=4,
            )
        self.image_shape_ = tuple(X.shape[1:])
        self._fitted_range = _range_of_type(X.dtype) if source.is_lazy else _range(X)

    def transform(self, X):
        """Return the images as rows, divided by `divisor`.

        Parameters
        ----------
        X : array-like of shape (n_samples, *image_shape_) or (n_samples, n_features_in_)
            Images, or images that are already flattened.

        Returns
        -------
        rows : ndarray of shape (n_samples, n_features_in_)
            float32 or float64, in C order; a DataFrame if `set_output` asks for one. Of a Dask array a Dask
            array in any case, since a DataFrame would hold all rows in memory; a ColumnTransformer or
            FeatureUnion around it makes that DataFrame itself, unless its output is "default".

        Raises
        ------
        ValueError
            If the images have another shape than those of `fit`, or the result overflows.

        Warns
        -----
        UserWarning
            If `divisor` is 255 and X holds floats in [0, 1], as `matplotlib.pyplot.imread` returns them, but
            `fit` has seen values above 1. If the result goes beyond 2, but `fit` has seen values up to
            `divisor` only, such as bytes after images in [0, 1]. Some 4,000 values are looked at. After a
            fit on a Dask array its type tells what values it may have; of floats, that they are scaled if
            X holds integers. For a Dask array the warning comes when the rows are computed.
        """
        check_is_fitted(self)
        source = source_of(X)
        if source.is_lazy:
            return source.mapped(FlattenScaler._transform, self, divisor=self.divisor)
        return active_memo().transformed(FlattenScaler._transform, self, source.X)

    def _transform(self, X):
        refuse_file_names(X)
        shape = shape_of(X)
        is_known = shape[1:] in (self.image_shape_, (self.n_features_in_,))
        if not is_known and max(len(shape) - 1, len(self.image_shape_)) > 1:
            raise ValueError(self._shape_message(shape))
        X = self._validated(X, shape)
        check_place(X, self._fitted_range, "Inputs passed to FlattenScaler.transform()")
        try:
            rows = self._scaled(np.divide, X, self.dtype or _float_dtype(X))
        except MemoryError as error:
            how = "To read X block by block, pass dask.array.from_array(X, chunks=...) (extra dask)."
            raise MemoryError(f"{error}. {how}") from error
        if problem := self._problem_of_scale(X, namespace(X).reshape(rows, (-1,))):
            warnings.warn(problem, UserWarning, stacklevel=6)
        return namespace(X).reshape(rows, (X.shape[0], -1))

    def _problem_of_scale(self, X, scaled):
        """Return what to warn of if the values of X have another scale than those of `fit`, else None."""
        divisor, is_known, is_float = self.divisor, self._fitted_range is not None, _is_of_kind(X)
        lowest, highest = map(float, self._fitted_range) if is_known else (0, divisor)
        if divisor == 255 and is_known and is_float and lowest >= 0 and highest > 1 and _is_scaled(X):
            return (
                "All values of X are in [0, 1], but FlattenScaler was fitted on larger ones, and divides by "
                "255: multiply X by 255."
            )
        was_scaled = -divisor / 4 <= lowest and highest <= 1.25 * divisor  # resized images overshoot a little
        if was_scaled and (is_known or not is_float) and namespace(X).max(_few(scaled)) > 2:
            fitted = f"values up to {highest:g}" if is_known else "a Dask array of floats, not read in fit,"
            return (
                f"X has values up to {float(_range(X)[1]):g}, but FlattenScaler was fitted on {fitted} and "
                f"divides by {divisor:g}: give X the scale of the images of fit, such as X / 255."
            )
        return None

    def _validated(self, X, shape, reset=False):
        with value_advice(X):
            if len(shape) <= 2:
                X = validate_data(self, X, dtype=_accepted_dtype(X), reset=reset)
            else:
                X = check_array(X, allow_nd=True, input_name="X", estimator=self)
            if not _is_of_kind(X, "buif", ("bool", "integral", "real floating")):
                raise ValueError(f"X has the type {X.dtype}. Pass real numbers.")
        return X

    @lazy_method
    def inverse_transform(self, X):
        """Return rows as images, multiplied by `divisor` and not rounded.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_in_)
            Rows, as `transform` returns them.

        Returns
        -------
        images : ndarray of shape (n_samples, *image_shape_)
            float32 for float32 rows, else float64.
        """
        check_is_fitted(self)
        X = check_array(X, dtype=_accepted_dtype(X), input_name="X", estimator=self)
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} columns, but one image of shape {self.image_shape_} has "
                f"{self.n_features_in_} values. Pass rows as transform returns them."
            )
        check_place(X, self._fitted_range, "Inputs passed to FlattenScaler.inverse_transform()")
        images = self._scaled(np.multiply, X, _float_dtype(X))
        return namespace(X).reshape(images, (-1, *self.image_shape_))

    def _scaled(self, ufunc, X, dtype):
        """Return X divided or multiplied by the divisor, or raise ValueError if the result overflows."""
        divisor, precision, xp = float(self.divisor), np.promote_types(_float_dtype(X), dtype), namespace(X)
        if xp is np:
            out, limits = np.empty(X.shape, dtype), np.finfo(precision)
            if not float(limits.tiny) <= divisor <= float(limits.max):  # beyond float32
                precision = np.float64
            with suppress(FloatingPointError), np.errstate(over="raise", divide="raise", invalid="raise"):
                return ufunc(X, divisor, out=out, dtype=precision, casting="same_kind")
        else:
            out = astype(X, precision) / divisor if ufunc is np.divide else astype(X, precision) * divisor
            out = astype(out, dtype)
            if are_finite(xp.min(out)) and are_finite(xp.max(out)):  # of all values it would make copies
                return out
        raise ValueError(
            f"X has values from {float(xp.min(X)):g} to {float(xp.max(X)):g}, and they overflow {out.dtype} "
            f"when scaled by the divisor {self.divisor:g}. Pass another divisor, or float64."
        )

    def get_feature_names_out(self, input_features=None):
        """Return a name for each column of the output.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names to use instead; if X had column names, they must be the same.

        Returns
        -------
        names : ndarray of shape (n_features_in_,), dtype object
            The column names of X; else pixel_{row}_{column}_{channel} for images, one index per axis, and x0,
            x1, ... for rows.
        """
        check_is_fitted(self)
        if input_features is None and len(self.image_shape_) > 1:
            indices = product(*(range(size) for size in self.image_shape_))
            return np.array(["_".join(map(str, ("pixel", *index))) for index in indices], dtype=object)
        return super().get_feature_names_out(input_features)

    def _shape_message(self, shape):
        shapes = dict.fromkeys([self.image_shape_, (self.n_features_in_,)])  # one shape for rows
        accepted = " or ".join(f"({', '.join(map(str, ('n_samples', *image)))})" for image in shapes)
        what, hint = (" of one image", " For one image, pass X[np.newaxis].") if shape in shapes else ("", "")
        return (
            f"X has the shape {shape}{what}, but FlattenScaler was fitted on images of shape "
            f"{self.image_shape_} and takes {accepted}.{hint}"
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True  # and more axes, for which there is no tag
        tags.array_api_support = DISPATCHES
        tags.transformer_tags.preserves_dtype = [self.dtype] if self.dtype else ["float64", "float32"]
        return tags


def _is_of_kind(X, letters="f", kinds="real floating"):  # by NumPy's letter in a fifth of the time
    return X.dtype.kind in letters if isinstance(X, np.ndarray) else namespace(X).isdtype(X.dtype, kinds)


def _is_scaled(X):
    """Whether all values are in [0, 1] and not all 0; stops at the first block with a value outside."""
    m, n = X.shape[0], prod(X.shape[1:])
    # 65,536 values stay in the cache for the second pass; on a device, which may be waited for, all at once.
    n_rows = max(1, 2**16 // n) if isinstance(X, np.ndarray) else m
    highest, xp = 0, namespace(X)
    for start in range(0, m, n_rows):
        block = _numbers(X[start : start + n_rows, ...])
        highest = max(highest, block.max() if xp is np else xp.max(block))
        if highest > 1 or xp.min(block) < 0:
            return False
    return bool(highest > 0)


def _range(X):
    """Return the lowest and the highest of a few values, at the places where `transform` looks too."""
    xp, values = namespace(X), _few(X)
    return np.array([values.min(), values.max()]) if xp is np else xp.stack([xp.min(values), xp.max(values)])


def _few(X):
    """Return up to 4,096 values of X."""
    step = -(-prod(X.shape) // 4096)
    step += (1 - step) % 6  # no multiple of 2 or 3, which could skip a channel
    if isinstance(X, np.ndarray):
        return (X if X.ndim == 1 else X.flat)[::step]
    return _numbers(namespace(X).reshape(X, (-1,))[::step])


def _numbers(values):
    """Return values whose largest every library knows: the standard orders no booleans, PyTorch no uint16."""
    if isinstance(values, np.ndarray) or values.dtype == namespace(values).uint8:
        return values
    is_odd = namespace(values).isdtype(values.dtype, ("bool", "unsigned integer"))
    return astype(values, np.float32) if is_odd else values


def _range_of_type(dtype):
    """Return the least and largest values of images of a type; None for floats."""
    if dtype.kind == "f":
        return None
    return np.array([0.0, 1.0 if dtype.kind == "b" else float(np.iinfo(dtype).max)])


def _accepted_dtype(X):
    return np.float32 if is_float32(X) and not isinstance(source_of(X), DeviceArray) else "numeric"


def _float_dtype(X):
    has_float64 = isinstance(X, np.ndarray) or len(float_dtypes(X)) == 2
    return np.float64 if has_float64 and not is_float32(X) else np.float32
