// Errors are reported from here on; the page says where to.
Sentry.init({ dsn: window.settings.dsn, release: window.settings.release, environment: "production" });
