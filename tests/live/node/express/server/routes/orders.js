// What guests order.
const { Router } = require("express");
const { Menu } = require("../menu.js");

const router = Router();
const menu = new Menu({ soup: { minutes: 12 }, bread: { minutes: 2 } });

router.post("/", (request, response) => {
  const dishes = request.body.dishes;
  response.json({ minutes: menu.minutes(dishes) });
});

router.get("/:table/bill", async (request, response) => {
  response.json(await menu.bill(request.params.table));
});

module.exports = router;
