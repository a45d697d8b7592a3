"""What the library answers."""

from django.http import JsonResponse
from django.shortcuts import render
from django.views import View

from loans.fines import Account, per_week


def fine(request, days):
    """The weekly fine for a book that is late by this many days."""
    return JsonResponse({"fine": str(per_week(days))})


class ReceiptView(View):
    """A reader's loans, as a page."""

    def get(self, request, reader):
        """Shows the page."""
        account = Account(reader, {"2026-03-01": None})
        return render(request, "receipt.html", {"account": account})
