// A group that was lassoed, or found by a colour: counts, mosaic, files to take away.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { download, toCoco, toCsv, toParquet } from "../data/export";
import type { Group } from "../choice";
import type { Explorer } from "../explorer";
import { toast } from "../toast";
import { Icon } from "./icons";
import { Mosaic } from "./Picture";

const FIRST = 120;

export function GroupPanel({ explorer, group }: { explorer: Explorer; group: Group }): JSX.Element {
  const [most, setMost] = useState(FIRST);
  return (
    <>
      <header class="panel-head">
        <h2>
          {group.colour !== null && <span class="dot" style={{ background: group.colour }} />}
          {group.title}
        </h2>
        <button type="button" class="icon-button" aria-label="Close" onClick={() => explorer.choice.close()}>
          <Icon name="close" />
        </button>
      </header>
      <p class="big" role="status">
        {group.rows.length.toLocaleString("en")} {explorer.kind.value === "look" ? "looks" : "garments"}
      </p>
      <Counts explorer={explorer} rows={group.rows} />
      <Saves explorer={explorer} rows={group.rows} />
      <Mosaic explorer={explorer} rows={group.rows.slice(0, most)} pixels={54} pick={(index) => explorer.choice.select(index, { fly: true })} />
      {group.rows.length > most && (
        <button type="button" class="text-button" onClick={() => setMost(most + 240)}>
          {(group.rows.length - most).toLocaleString("en")} more
        </button>
      )}
    </>
  );
}

function Counts({ explorer, rows }: { explorer: Explorer; rows: number[] }): JSX.Element {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(explorer.data.categoryOf(row), (counts.get(explorer.data.categoryOf(row)) ?? 0) + 1);
  const ranked = [...counts].sort((a, b) => b[1] - a[1]);
  return (
    <dl class="tally">
      {ranked.map(([name, count]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{count.toLocaleString("en")}</dd>
        </div>
      ))}
    </dl>
  );
}

function Saves({ explorer, rows }: { explorer: Explorer; rows: number[] }): JSX.Element {
  const { data } = explorer;
  const [busy, setBusy] = useState("");
  const save = (name: string, make: () => Promise<Blob>): void => {
    setBusy(name);
    make()
      .then((blob) => download(blob, name))
      .catch((error: unknown) => toast(error instanceof Error ? error.message : String(error)))
      .finally(() => setBusy(""));
  };
  const masks = (): Promise<Blob> => toCoco(data, rows, explorer.details, (done) => setBusy(`masks ${done.toLocaleString("en")}`));
  return (
    <div class="saves" role="group" aria-label="Save this group">
      <button type="button" onClick={() => save("selection.csv", () => Promise.resolve(toCsv(data, rows)))}>CSV</button>
      <button type="button" onClick={() => save("selection.parquet", () => toParquet(data, rows))}>Parquet</button>
      <button type="button" onClick={() => save("selection.coco.json", masks)}>Masks (COCO)</button>
      <span class="quiet" role="status">{busy === "" ? "" : `Writing ${busy} …`}</span>
    </div>
  );
}
