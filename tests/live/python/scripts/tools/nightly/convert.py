"""Amounts in other currencies."""


def euros(amount, currency, rates):
    """An amount in euros."""
    rate = rates[currency]
    return amount / rate


def smallest(amounts):
    """The smallest of some amounts."""
    ordered = sorted(amounts)
    return ordered[0]


async def total(amounts, currency, rates):
    """All of them together, in euros."""
    total_of_all = sum(amounts)
    return total_of_all / rates.get(currency)
