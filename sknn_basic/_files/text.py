"""Names and messages from files, as text that a terminal, a warning or a figure can show."""

NAME_LENGTH = 40  # characters of a name that are shown: matplotlib takes a minute to draw 100,000


def printable(text):
    r"""Return the text with escapes such as ``\x1b`` for all characters but visible ones and spaces.

    It stays on one line, and neither controls a terminal nor reverses the direction of what follows.
    """
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(text))


def short_name(name, length=NAME_LENGTH):
    """Return a name as printable text of at most `length` characters; "..." stands for the rest."""
    text = printable(str(name)[: length + 1])
    return text if len(text) <= length else f"{text[: length - 3]}..."
