"""Advice in the errors about unknown parameters, such as those named as in the notes."""

from inspect import Parameter, signature


class ParameterAdviceMixin:
    """Adds advice to the errors of `__init__` and `set_params` about unknown parameters.

    A subclass lists {name: advice} in `_parameter_advice`.
    """

    _parameter_advice = {}

    def __new__(cls, *args, **params):
        """Raise TypeError with advice on an unknown parameter; `__init__` rejects those without advice."""
        known = signature(cls.__init__).parameters
        takes_any = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in known.values())
        for name in params:
            if name in cls._parameter_advice and name not in known and not takes_any:
                raise TypeError(f"{cls.__name__} has no parameter {name!r}. {cls._parameter_advice[name]}")
        return super().__new__(cls)

    def set_params(self, **params):
        """Set the parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Parameter names and values; those of a nested estimator as ``<estimator>__<parameter>``.

        Returns
        -------
        self : object
            The estimator.
        """
        try:
            return super().set_params(**params)
        except ValueError as error:
            advice = [self._parameter_advice[name] for name in params if name in self._parameter_advice]
            if not advice:
                raise
            raise ValueError(f"{str(error).rstrip('.')}. {' '.join(advice)}") from error
