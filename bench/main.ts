// npm run bench -- [quick] [ROW…]   `quick` takes fewer rounds, and a smaller crowd. A whole run, not quick and without a
// row, is kept in bench/results.md.
import { availableParallelism, loadavg } from "node:os";
import { endFleets } from "./fleet.ts";
import { printRow, saveResults } from "./results.ts";
import type { Result } from "./results.ts";
import { GROUPS, QUICK, THOROUGH } from "./rows.ts";

const words = process.argv.slice(2);
const isQuick = words.includes("quick");
const chosen = words.filter((word) => word !== "quick");
const known = GROUPS.flatMap(({ ids }) => ids);
const unknown = chosen.find((word) => !known.includes(word));
if (unknown !== undefined) {
  console.error(`there is no row ${unknown}; the rows are: ${known.join(" ")}`);
  process.exit(2);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    endFleets();
    process.exit(130);
  });
}

const load = (loadavg()[0] ?? 0).toFixed(1);
const place = `Node ${process.version}, ${availableParallelism()} cores, load ${load} at the start`;
console.log(place);
const results: Result[] = [];
for (const { ids, measure } of GROUPS) {
  const wanted = ids.filter((id) => chosen.length === 0 || chosen.includes(id));
  if (wanted.length === 0) continue;
  const found = await measure(wanted, isQuick ? QUICK : THOROUGH);
  found.forEach(printRow);
  results.push(...found);
}
if (!isQuick && chosen.length === 0) saveResults(results, place);
