// The page begins: it finds out which form it has, and opens a map.
import "./fonts.css";
import { signal } from "@preact/signals";
import { render, type JSX } from "preact";
import { MapData } from "./data/map";
import { BadMap, Source } from "./data/source";
import { Explorer } from "./explorer";
import { Live } from "./live/live";
import "./theme";
import { Empty, MapView, Masthead, Toast } from "./ui/App";
import { Away, CollectionPicker, DropZone, LiveTools, TokenDialog, VisitPanel } from "./ui/LiveParts";
import { Operations } from "./ui/Operations";

const opened = signal<Explorer | null>(null);
const failure = signal("");
const form = document.querySelector<HTMLMetaElement>('meta[name="fashionmap-form"]');
const live = form?.content === "live" ? new Live(Number(form.dataset["most"] ?? 32 * 2 ** 20)) : null;

function countsOf({ about, guests }: MapData): string {
  const told = (name: string): number => about.counts[name] ?? 0;
  const many = (count: number, one: string): string => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
  const units = [many(told("garments"), "garment"), ...(told("looks") > 0 ? [many(told("looks"), "look")] : [])];
  const since = guests.length > 0 ? `, ${guests.length.toLocaleString("en")} since` : "";
  return `${units.join(" and ")} from ${many(told("photos"), "photo")}${since}`;
}

async function start(): Promise<void> {
  if (live !== null) return live.start();
  const data = await MapData.load(new Source(""));
  if (data.count === 0) throw new BadMap("No garments were found on these photos, so there is nothing to lay out.");
  opened.value = new Explorer(data, { collection: null, version: null }, null);
}

function Page(): JSX.Element {
  const explorer = live === null ? opened.value : live.explorer.value;
  const sentence = failure.value || (live?.sentence.value ?? "");
  void explorer?.guestsCame.value; // counts follow
  return (
    <>
      <Masthead sentence={explorer === null ? "" : countsOf(explorer.data)}>{live !== null && live.collections.value.length > 0 ? <CollectionPicker live={live} /> : null}</Masthead>
      {explorer !== null ? (
        <MapView
          key={explorer.data.source.base}
          explorer={explorer}
          tools={live === null ? null : <LiveTools live={live} explorer={explorer} />}
          extra={live === null ? null : <VisitPanel live={live} explorer={explorer} />}
        />
      ) : (
        <main class="stage">{sentence !== "" && <Empty sentence={sentence} />}</main>
      )}
      {live !== null && (
        <>
          {explorer === null && live.collection.value !== "" && (
            <nav class="tools" aria-label="Tools">
              <div class="bar icons">
                <LiveTools live={live} explorer={null} />
              </div>
            </nav>
          )}
          <Operations live={live} />
          <Away live={live} />
          <DropZone live={live} />
          <TokenDialog live={live} />
        </>
      )}
      <Toast />
    </>
  );
}

render(<Page />, document.getElementById("page")!);
start().catch((error: unknown) => {
  failure.value = error instanceof BadMap ? error.message : `The page cannot show this map: ${String(error)}`;
});
