"""The library's addresses."""

from django.urls import path

from loans import views

urlpatterns = [
    path("fines/<int:days>/", views.fine),
    path("receipts/<str:reader>/", views.ReceiptView.as_view()),
]
