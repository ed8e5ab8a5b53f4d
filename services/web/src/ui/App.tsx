// The page around the drawing.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Explorer } from "../explorer";
import { said } from "../toast";
import { Filters } from "./Filters";
import { GroupPanel } from "./GroupPanel";
import { listenToKeys } from "./keyboard";
import { Listing } from "./Listing";
import { describe } from "./Picture";
import { Act, Tools } from "./Tools";
import { UnitPanel } from "./UnitPanel";
import { Wall } from "./Wall";

export function Masthead({ sentence, children }: { sentence: string; children?: JSX.Element | null }): JSX.Element {
  return (
    <header class="masthead">
      <h1>fashionMap</h1>
      <p id="counts" role="status">{sentence}</p>
      {children}
    </header>
  );
}

export function Toast(): JSX.Element {
  return (
    <p class="toast" role="status" aria-live="polite" data-empty={said.value === ""}>
      {said.value}
    </p>
  );
}

export function Empty({ sentence }: { sentence: string }): JSX.Element {
  return (
    <div class="empty">
      <p role="alert">{sentence}</p>
    </div>
  );
}

export function MapView({ explorer, tools, extra }: { explorer: Explorer; tools?: JSX.Element | null; extra?: JSX.Element | null }): JSX.Element {
  return (
    <>
      <Stage explorer={explorer} />
      <Tools explorer={explorer}>{tools ?? null}</Tools>
      <Filters explorer={explorer} />
      <Listing explorer={explorer} />
      <SidePanel explorer={explorer} />
      {extra}
      <Nothing explorer={explorer} />
    </>
  );
}

function Stage({ explorer }: { explorer: Explorer }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const labels = useRef<HTMLDivElement>(null);
  useEffect(() => {
    explorer.attach(canvas.current!, labels.current!);
    const stop = listenToKeys(() => (explorer.scene === null ? null : explorer));
    return () => {
      stop();
      explorer.dispose();
    };
  }, [explorer]);
  const count = explorer.data.size(explorer.kind.value);
  const noun = explorer.kind.value === "look" ? "looks" : "garments";
  const blind = explorer.blind.value;
  return (
    <main class={`stage${explorer.lassoing.value ? " lassoing" : ""}${blind ? " blind" : ""}`}>
      <canvas
        ref={canvas}
        id="map"
        tabIndex={0}
        role="application"
        aria-label={`Map of ${count.toLocaleString("en")} ${noun}. Arrow keys move it, plus and minus zoom, 0 shows nearly all, 0 again all; the list of what is in view holds the same garments.`}
      />
      <div ref={labels} class="labels" role="group" aria-label="Groups on the map" />
      <svg class="loop" aria-hidden="true">
        <polygon points={explorer.loop.value.map((p) => p.join(",")).join(" ")} />
      </svg>
      <Hover explorer={explorer} />
      {blind ? (
        <Wall explorer={explorer} />
      ) : (
        <div class="zoom bar" role="group" aria-label="Zoom">
          <Act name="plus" label="Zoom in" act={() => explorer.looking?.zoom(0.8)} />
          <Act name="minus" label="Zoom out" act={() => explorer.looking?.zoom(-0.8)} />
          <Act name="whole" label="Show the whole map" act={() => explorer.looking?.showWhole()} />
        </div>
      )}
    </main>
  );
}

function Hover({ explorer }: { explorer: Explorer }): JSX.Element | null {
  const hovered = explorer.hovered.value;
  if (hovered === null || !explorer.complete.value) return null;
  return (
    <p class="hover" aria-hidden="true" style={{ transform: `translate(${String(hovered.x + 14)}px, ${String(hovered.y + 18)}px)` }}>
      {describe(explorer, hovered.index)}
    </p>
  );
}

function SidePanel({ explorer }: { explorer: Explorer }): JSX.Element | null {
  const box = useRef<HTMLElement>(null);
  const index = explorer.choice.selected.value;
  const group = explorer.choice.group.value;
  useEffect(() => {
    box.current?.scrollTo(0, 0);
  }, [index, group]);
  if (index < 0 && group === null) return null;
  return (
    <aside ref={box} class="card panel" aria-label={index >= 0 ? "Selected garment" : "Selected group"} tabIndex={-1}>
      {index >= 0 ? <UnitPanel explorer={explorer} index={index} /> : <GroupPanel explorer={explorer} group={group!} />}
    </aside>
  );
}

function Nothing({ explorer }: { explorer: Explorer }): JSX.Element | null {
  if (explorer.tally.value?.total !== 0) return null;
  return (
    <div class="nothing" role="status">
      <p>Nothing fits these filters.</p>
      <button type="button" class="text-button" onClick={() => explorer.reset()}>
        Clear all filters
      </button>
    </div>
  );
}
