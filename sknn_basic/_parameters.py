"""Parameters that a class does not have but that users try: answered with what to pass instead."""

from inspect import signature


class ParameterAdviceMixin:
    """Adds advice to the errors of `__init__` and `set_params` about unknown parameters.

    A subclass lists {name: advice} in `_parameter_advice`.
    """

    _parameter_advice = {}

    def __new__(cls, *args, **params):
        """Refuse an unknown parameter that is in the list; `__init__` refuses all others."""
        known = signature(cls.__init__).parameters
        for name in params:
            if name in cls._parameter_advice and name not in known:
                raise TypeError(f"{cls.__name__} has no parameter {name!r}. {cls._parameter_advice[name]}")
        return super().__new__(cls)

    def set_params(self, **params):
        """Set the parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Names of parameters and their values; in a nested estimator with its name and __ in front.

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
