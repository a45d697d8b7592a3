// The kitchen's web server.
require("./instrument.js");
const Sentry = require("@sentry/node");
const express = require("express");
const orders = require("./routes/orders.js");

const app = express();
app.use(express.json());
app.use("/orders", orders);
Sentry.setupExpressErrorHandler(app);

const server = app.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
