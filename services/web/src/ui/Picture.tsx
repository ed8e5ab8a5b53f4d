// A cut-out in a panel.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Explorer } from "../explorer";

export function describe({ data }: Explorer, index: number): string {
  return `${data.categoryOf(index)}, ${data.fileName(index)}`;
}

export function Picture({ explorer, index, pixels }: { explorer: Explorer; index: number; pixels: number }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let there = true;
    const fresh = document.createElement("canvas");
    void explorer.pictures
      .draw(fresh, index, pixels * Math.min(devicePixelRatio, 2))
      .then(() => {
        if (!there || canvas.current === null) return;
        canvas.current.width = canvas.current.height = Math.max(fresh.width, 1);
        canvas.current.getContext("2d")?.drawImage(fresh, 0, 0);
      })
      .catch(() => undefined);
    return () => {
      there = false;
    };
  }, [explorer, index, pixels]);
  return <canvas ref={canvas} class="picture" role="img" aria-label={describe(explorer, index)} width={1} height={1} />;
}

export function Mosaic(props: {
  explorer: Explorer;
  rows: readonly number[];
  pixels: number;
  current?: number;
  pick: (index: number) => void;
}): JSX.Element {
  const { explorer, rows, pixels, current, pick } = props;
  return (
    <ul class={pixels > 60 ? "mosaic" : "mosaic fine"}>
      {rows.map((index) => (
        <li key={index}>
          <button type="button" title={describe(explorer, index)} aria-current={index === current ? "true" : undefined} onClick={() => pick(index)}>
            <Picture explorer={explorer} index={index} pixels={pixels} />
          </button>
        </li>
      ))}
    </ul>
  );
}
