"""Names of models and classes, as figures show them."""

from collections.abc import Mapping

from .._files.text import NAME_LENGTH, short_name


def distinguishing_names(classifiers):
    """Return names that tell classifiers apart: their classes, and parameters that differ.

    If all are of one class, its name is left out. Those that differ in nothing are numbered. With the rate
    "auto" comes the number that a fit has found.
    """
    return names_of_traits([Traits(classifier) for classifier in classifiers])


def check_names(names, n, thing):
    """Return the names as a list; raise ValueError if they are not one for each thing."""
    if isinstance(names, str) or len(names) != n:
        raise ValueError(f"names should be a list of {n}, one for each {thing}, got {names!r}.")
    return list(names)


class Traits:
    """What names a classifier, as it is now: it may be fitted again with other parameters."""

    def __init__(self, classifier):
        self.kind = type(classifier).__name__
        self.parameters = {key: _short_value(value) for key, value in classifier.get_params().items()}
        self.shown = self.parameters | _found_rate(classifier)


def names_of_traits(traits):
    """Return the names of `distinguishing_names`."""
    names = []
    for own in traits:
        rivals = [other.parameters for other in traits if other.kind == own.kind]
        differing = [
            f"{key}={own.shown[key]}"
            for key, value in own.parameters.items()
            if {value} != {other.get(key) for other in rivals}
        ]
        of_class = [] if differing and len(rivals) == len(traits) else [own.kind]
        names.append(", ".join(of_class + differing))
    return [
        f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]


def _found_rate(classifier):
    if classifier.learning_rate != "auto" or not hasattr(classifier, "learning_rate_"):
        return {}
    return {"learning_rate": f"auto ({classifier.learning_rate_:.3g})"}


def _short_value(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


def name_classes(labels, class_names):
    """Return a dict from each label to the name of its class. Labels that are names are their own."""
    if class_names is None:
        return {label: label for label in labels}
    if isinstance(class_names, Mapping):
        names = class_names
    elif all(isinstance(label, str) for label in labels):
        names = {name: name for name in class_names}
    else:
        names = dict(enumerate(class_names))
    nameless = [label for label in labels if label not in names]
    if nameless:
        raise ValueError(
            f"class_names has no name for the classes {nameless}. Pass the names of the classes 0, 1, ..., "
            "those of all classes if the labels are names, or a dict from labels to names."
        )
    return names


def counted(n, noun):
    """Return a number with its noun, such as "1 image" or "No mistakes"."""
    return f"{n or 'No'} {noun}{'' if n == 1 else 's'}"


def escape_formulas(text):
    """Return the text so that matplotlib draws each $ as it is, instead of a formula between two."""
    return text.replace("$", r"\$")


def legend_name(name):
    """Return the name so that a legend shows it, although it has a $ or begins with "_"."""
    text = escape_formulas(short_name(name, 2 * NAME_LENGTH))
    return f" {text}" if text.startswith("_") else text
