"""Advice in the errors about unknown parameters, such as those named as in the notes."""


class ParameterAdviceMixin:
    """Adds advice to the error of `set_params`, also in pipelines and searches, about an unknown parameter.

    A subclass lists {name: advice} in `_parameter_advice`.
    """

    _parameter_advice = {}

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
