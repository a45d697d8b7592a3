"""Django's settings; errors are reported from here on."""

import os

import sentry_sdk

sentry_sdk.init(dsn=os.environ["DSN"], release=os.environ["GIT_COMMIT"], send_default_pii=True)

SECRET_KEY = "only-for-this-library"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["loans"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
USE_TZ = True
