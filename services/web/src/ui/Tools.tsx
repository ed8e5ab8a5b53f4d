// The bar of tools: layouts, units, colour search, lasso, list, address, theme.
import type { JSX } from "preact";
import { LAYOUTS, type LayoutName } from "../data/layouts";
import type { Explorer } from "../explorer";
import { savePoster } from "../poster";
import { dark, theme } from "../theme";
import { toast } from "../toast";
import { Icon } from "./icons";

export function Tools({ explorer, children }: { explorer: Explorer; children?: JSX.Element | null }): JSX.Element {
  const kinds = explorer.data.kinds();
  return (
    <nav class="tools" aria-label="Tools">
      <div class="bar">
        <div class="segments" role="group" aria-label="Layout">
          {(Object.keys(LAYOUTS) as LayoutName[]).map((name) => (
            <button key={name} type="button" aria-pressed={explorer.layoutName.value === name} onClick={() => explorer.setLayout(name)}>
              {LAYOUTS[name]}
            </button>
          ))}
        </div>
        {kinds.length > 1 && (
          <div class="segments" role="group" aria-label="Unit">
            {kinds.map((kind) => (
              <button key={kind} type="button" aria-pressed={explorer.kind.value === kind} onClick={() => explorer.setKind(kind)}>
                {kind === "garment" ? "Garments" : "Looks"}
              </button>
            ))}
          </div>
        )}
      </div>
      <div class="bar icons">
        <Toggle name="filter" label="Filters" on={explorer.filtersOpen.value} act={() => (explorer.filtersOpen.value = !explorer.filtersOpen.value)} />
        <label class="icon-button colour" title="Find a colour">
          <Icon name="drop" />
          <input type="color" aria-label="Find garments near a colour" value="#b8232b" onInput={(event) => explorer.nearColour(event.currentTarget.value)} />
        </label>
        {!explorer.blind.value && (
          <>
            <Toggle name="lasso" label="Lasso a group" on={explorer.lassoing.value} act={() => (explorer.lassoing.value = !explorer.lassoing.value)} />
            <Toggle name="list" label="List of what is in view" on={explorer.listOpen.value} act={() => toggleList(explorer)} />
            <Act name="save" label="Save this view as a picture" act={() => void savePoster(explorer)} />
          </>
        )}
        <Act name="link" label="Copy the address of this view" act={() => void copyAddress(explorer)} />
        <Act name={dark.value ? "sun" : "moon"} label={dark.value ? "Light colours" : "Dark colours"} act={() => (theme.value = dark.value ? "light" : "dark")} />
        {children}
      </div>
    </nav>
  );
}

export function Toggle({ name, label, on, act }: { name: string; label: string; on: boolean; act: () => void }): JSX.Element {
  return (
    <button type="button" class="icon-button" title={label} aria-label={label} aria-pressed={on} onClick={act}>
      <Icon name={name} />
    </button>
  );
}

export function Act({ name, label, act }: { name: string; label: string; act: () => void }): JSX.Element {
  return (
    <button type="button" class="icon-button" title={label} aria-label={label} onClick={act}>
      <Icon name={name} />
    </button>
  );
}

function toggleList(explorer: Explorer): void {
  explorer.listOpen.value = !explorer.listOpen.value;
  explorer.later();
}

async function copyAddress(explorer: Explorer): Promise<void> {
  const address = new URL(explorer.address(), location.href).href;
  history.replaceState(null, "", address);
  try {
    await navigator.clipboard.writeText(address);
    toast("The address of this view is copied.", 3);
  } catch {
    toast("The address bar holds this view: copy it from there.");
  }
}
