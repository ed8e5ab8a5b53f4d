// Everything that passes the filters as a list, where the browser cannot draw the map.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Explorer } from "../explorer";
import { Picture } from "./Picture";

const FIRST = 240;
const ORDERS = { map: "similar ones follow each other", grid: "in the order of the grid", category: "by category", colour: "by colour" };

export function Wall({ explorer }: { explorer: Explorer }): JSX.Element {
  const [most, setMost] = useState(FIRST);
  const box = useRef<HTMLElement>(null);
  const rows = explorer.inView.value;
  const selected = explorer.choice.selected.value;
  const order = explorer.layoutName.value;
  useEffect(() => box.current?.scrollTo(0, 0), [order, explorer.kind.value]);
  useEffect(() => box.current?.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" }), [selected, rows]);
  const noun = explorer.kind.value === "look" ? "looks" : "garments";
  return (
    <section ref={box} class="wall" aria-label={`List of ${noun}`} tabIndex={-1}>
      <p class="notice">This browser gives no WebGL 2, which draws the map: here is all of it as a list.</p>
      <p class="quiet" role="status">{explorer.complete.value ? `${rows.length.toLocaleString("en")} ${noun}, ${ORDERS[order]}` : "Reading the map …"}</p>
      <ul>
        {rows.slice(0, most).map((index) => (
          <li key={index}>
            <button type="button" aria-current={index === selected ? "true" : undefined} onClick={() => explorer.choice.select(index)}>
              <Picture explorer={explorer} index={index} pixels={64} />
              <span>{explorer.data.categoryOf(index)}</span>
              <small>{explorer.data.fileName(index)}</small>
            </button>
          </li>
        ))}
      </ul>
      {rows.length > most && (
        <button type="button" class="text-button" onClick={() => setMost(most + 2 * FIRST)}>
          {(rows.length - most).toLocaleString("en")} more
        </button>
      )}
    </section>
  );
}
