"""Loans, and what is due for late ones."""
