"""What a reader owes."""

from decimal import Decimal

GRACE_PERIOD = 3


def per_week(days):
    """What is due in each week that a book is late."""
    late = days - GRACE_PERIOD
    weeks = late // 7
    return Decimal("3.50") / weeks


class Account:
    """A reader's account as a receipt shows it."""

    def __init__(self, reader, loans):
        self.reader = reader
        self.loans = loans

    @property
    def oldest(self):
        """The title that was lent first."""
        first = sorted(self.loans)[0]
        return self.loans[first].title()
