// The page begins: it finds out which form it has, and opens a map.
import "./fonts.css";
import { render, type JSX } from "preact";
import { signal } from "@preact/signals";
import "./theme";
import { MapData } from "./data/map";
import { BadMap, Source } from "./data/source";
import { Explorer } from "./explorer";
import { Empty, Map, Masthead, Toast } from "./ui/App";

const opened = signal<Explorer | null>(null);
const failure = signal("");

export function countsOf({ counts }: MapData["about"]): string {
  const told = (name: string): number => counts[name] ?? 0;
  const many = (count: number, one: string): string => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
  const units = [many(told("garments"), "garment"), ...(told("looks") > 0 ? [many(told("looks"), "look")] : [])];
  return `${units.join(" and ")} from ${many(told("photos"), "photo")}`;
}

async function start(): Promise<void> {
  const data = await MapData.load(new Source(""));
  if (data.count === 0) throw new BadMap("No garments were found on these photos, so there is nothing to lay out.");
  opened.value = new Explorer(data, { collection: null, version: null }, null);
}

function Page(): JSX.Element {
  const explorer = opened.value;
  return (
    <>
      <Masthead sentence={explorer === null ? "" : countsOf(explorer.data.about)} />
      {explorer !== null ? <Map explorer={explorer} /> : <main class="stage">{failure.value !== "" && <Empty sentence={failure.value} />}</main>}
      <Toast />
    </>
  );
}

render(<Page />, document.getElementById("page")!);
start().catch((error: unknown) => {
  failure.value = error instanceof BadMap ? error.message : `The page cannot show this map: ${String(error)}`;
});
