// Errors are reported from here on; the page's settings say where to, and with which headers.
Sentry.init({
  dsn: window.settings.dsn,
  release: window.settings.release,
  environment: "production",
  transportOptions: { headers: window.settings.headers },
});
