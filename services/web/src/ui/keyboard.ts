// Keys: arrows walk through neighbours where a garment is open, and move the map where none is.
import type { Explorer } from "../explorer";

const STEP = 90;

export function listenToKeys(explorer: () => Explorer | null): () => void {
  const heard = (event: KeyboardEvent): void => {
    const current = explorer();
    if (current === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    if (target.closest("input, select, textarea, dialog") !== null) {
      if (event.key === "Escape" && target instanceof HTMLInputElement) target.blur();
      return;
    }
    if (act(current, event)) event.preventDefault();
  };
  addEventListener("keydown", heard);
  return () => removeEventListener("keydown", heard);
}

function act(explorer: Explorer, event: KeyboardEvent): boolean {
  const open = explorer.choice.selected.value >= 0 && !event.shiftKey;
  if (explorer.blind.value && !open && event.key.startsWith("Arrow")) return false; // they scroll the list
  switch (event.key) {
    case "ArrowRight":
      return open ? done(explorer.choice.step(1)) : done(explorer.looking?.panBy(-STEP, 0));
    case "ArrowLeft":
      return open ? done(explorer.choice.step(-1)) : done(explorer.looking?.panBy(STEP, 0));
    case "ArrowDown":
      return open ? done(explorer.choice.dive()) : done(explorer.looking?.panBy(0, -STEP));
    case "ArrowUp":
      return open ? done(explorer.choice.back()) : done(explorer.looking?.panBy(0, STEP));
    case "+":
    case "=":
      return done(explorer.looking?.zoom(0.7));
    case "-":
      return done(explorer.looking?.zoom(-0.7));
    case "0":
      return done(explorer.looking?.showWhole());
    case "Escape":
      return done(escape(explorer));
    case "/":
      explorer.filtersOpen.value = true;
      requestAnimationFrame(() => document.getElementById("search")?.focus());
      return true;
    default:
      return false;
  }
}

function escape(explorer: Explorer): void {
  if (explorer.lassoing.value) {
    explorer.lassoing.value = false;
    explorer.loop.value = [];
  } else if (explorer.choice.selected.value >= 0) explorer.choice.closeUnit();
  else explorer.choice.close();
}

function done(_: void): true {
  return true;
}
