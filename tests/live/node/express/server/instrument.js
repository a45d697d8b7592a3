// Loaded before anything else, as the client's handbook has it.
const Sentry = require("@sentry/node");

Sentry.init({
  dsn: process.env.DSN,
  release: process.env.GIT_COMMIT,
  environment: "staging",
  includeLocalVariables: true,
  tracesSampleRate: 1.0,
});
