// What is in view as a list, for those who cannot use the canvas.
import type { JSX } from "preact";
import type { Explorer } from "../explorer";
import { Icon } from "./icons";
import { Picture } from "./Picture";

export function Listing({ explorer }: { explorer: Explorer }): JSX.Element | null {
  if (!explorer.listOpen.value) return null;
  const rows = explorer.inView.value;
  return (
    <section class="card listing" aria-label="What is in view">
      <header class="panel-head">
        <h2>In view</h2>
        <button type="button" class="icon-button" aria-label="Close list" onClick={() => (explorer.listOpen.value = false)}>
          <Icon name="close" />
        </button>
      </header>
      <p class="quiet">{rows.length === 200 ? "The first 200; zoom in to see the others." : `${String(rows.length)} in view.`}</p>
      <ul>
        {rows.map((index) => (
          <li key={index}>
            <button type="button" aria-current={index === explorer.choice.selected.value ? "true" : undefined} onClick={() => open(explorer, index)}>
              <Picture explorer={explorer} index={index} pixels={40} />
              <span>
                {explorer.data.categoryOf(index)}
                <small>{explorer.data.fileName(index)}</small>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

// On a small screen the garment takes the list's place.
function open(explorer: Explorer, index: number): void {
  if (matchMedia("(max-width: 900px)").matches) explorer.listOpen.value = false;
  explorer.choice.select(index, { fly: true });
}
