// Pointers and the wheel on the canvas.
import type { Camera } from "./camera";

export interface Acts {
  changed: () => void;
  click: (x: number, y: number) => void;
  hover: (x: number, y: number) => void;
  lasso: () => boolean; // whether a drag draws a loop
  loop: (points: [number, number][], done: boolean) => void;
}

export function listen(canvas: HTMLCanvasElement, camera: Camera, acts: Acts): void {
  const pointers = new Map<number, { x: number; y: number }>();
  let start = { x: 0, y: 0, moved: false };
  let speed = { x: 0, y: 0, at: 0 };
  let loop: [number, number][] | null = null;
  const place = (event: PointerEvent | WheelEvent | MouseEvent): { x: number; y: number } => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    canvas.setPointerCapture(event.pointerId);
    const at = place(event);
    pointers.set(event.pointerId, at);
    camera.stop();
    if (pointers.size === 1) {
      start = { ...at, moved: false };
      speed = { x: 0, y: 0, at: event.timeStamp };
      loop = acts.lasso() ? [[at.x, at.y]] : null;
    } else {
      start.moved = true;
      loop = null;
    }
  });

  canvas.addEventListener("pointermove", (event) => {
    const at = place(event);
    const before = pointers.get(event.pointerId);
    if (before === undefined) {
      acts.hover(at.x, at.y);
      return;
    }
    if (Math.hypot(at.x - start.x, at.y - start.y) > 5) start.moved = true;
    if (loop !== null) {
      loop.push([at.x, at.y]);
      acts.loop(loop, false);
    } else if (pointers.size === 2) pinch(event.pointerId, before, at);
    else if (start.moved) {
      camera.pan(at.x - before.x, at.y - before.y);
      const elapsed = Math.max(event.timeStamp - speed.at, 1);
      const share = Math.min(elapsed / 60, 1);
      speed = {
        x: speed.x * (1 - share) + ((at.x - before.x) / elapsed) * share,
        y: speed.y * (1 - share) + ((at.y - before.y) / elapsed) * share,
        at: event.timeStamp,
      };
      acts.changed();
    }
    pointers.set(event.pointerId, at);
  });

  function pinch(moved: number, before: { x: number; y: number }, at: { x: number; y: number }): void {
    const [other] = [...pointers].filter(([id]) => id !== moved).map(([, p]) => p);
    if (other === undefined) return;
    const [was, is] = [Math.hypot(before.x - other.x, before.y - other.y), Math.hypot(at.x - other.x, at.y - other.y)];
    camera.pan((at.x - before.x) / 2, (at.y - before.y) / 2);
    camera.zoomAt((at.x + other.x) / 2, (at.y + other.y) / 2, Math.log2(Math.max(is, 1) / Math.max(was, 1)));
    acts.changed();
  }

  const up = (event: PointerEvent): void => {
    if (!pointers.delete(event.pointerId)) return;
    if (loop !== null) {
      acts.loop(loop, true);
      loop = null;
    } else if (!start.moved && event.type === "pointerup") acts.click(start.x, start.y);
    else if (pointers.size === 0 && event.timeStamp - speed.at < 60) {
      camera.throw(speed.x, speed.y);
      acts.changed();
    }
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);

  // labels lie over the canvas: the wheel zooms there too
  (canvas.parentElement ?? canvas).addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const at = place(event);
      const lines = event.deltaMode === 1 ? 24 : 1;
      camera.stop();
      camera.zoomAt(at.x, at.y, (-event.deltaY * lines * (event.ctrlKey ? 4 : 1)) / 380);
      acts.changed();
    },
    { passive: false },
  );
}
