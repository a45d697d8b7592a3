"""Weather stations and their readings."""
