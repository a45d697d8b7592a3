// Counts the larder once, and dies where a shelf is not there.
require("./instrument.js");

function weigh(shelves) {
  const last = shelves[shelves.length];
  return last.jars * 0.4;
}

setTimeout(() => console.log(weigh([{ jars: 3 }])), 50);
