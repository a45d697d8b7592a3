"""Exchange rates out of a file."""


def parse(line):
    """`USD=1.09` as a pair."""
    currency, _, rate = line.partition("=")
    return currency, float(rate)


def read(lines):
    """All rates of a file."""
    return dict(parse(line) for line in lines)
