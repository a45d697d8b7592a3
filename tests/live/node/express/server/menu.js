// What there is to eat, and how long it takes.

class Menu {
  constructor(dishes) {
    this.dishes = dishes;
    this.tables = new Map();
  }

  // How long these dishes take together.
  minutes(names) {
    let longest = 0;
    for (const name of names) {
      const dish = this.dishes[name];
      longest = Math.max(longest, dish.minutes);
    }
    return longest;
  }

  // What a table has to pay.
  async bill(table) {
    await new Promise((resolve) => setImmediate(resolve));
    const eaten = this.tables.get(table);
    return { table, courses: eaten.length };
  }
}

module.exports = { Menu };
