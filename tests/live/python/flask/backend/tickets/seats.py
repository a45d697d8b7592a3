"""Which seats there are, and what they cost."""

ROWS = {"A": 48.0, "B": 36.0, "C": 24.0}


class Plan:
    """One evening's seats."""

    def __init__(self, evening):
        self.evening = evening
        self.taken = set()

    def reserve(self, row, numbers):
        """Takes these seats of a row; says what they cost."""
        wanted = [f"{row}{number}" for number in numbers]
        price = ROWS[row] * len(wanted)
        self.taken.update(wanted)
        return price
