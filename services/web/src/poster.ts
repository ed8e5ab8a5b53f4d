// The view as a PNG poster, unturned: the drawing on its paper, with the names of groups.
import { download } from "./data/export";
import { Scene } from "./draw/scene";
import type { Explorer } from "./explorer";
import { dark } from "./theme";
import { toast } from "./toast";

export async function savePoster(explorer: Explorer): Promise<void> {
  const { scene } = explorer;
  if (!(scene instanceof Scene)) return;
  const { camera } = scene;
  const { labels, wide } = camera.unturned(() => ({ labels: explorer.labelsNow(), wide: camera.width }));
  const drawing = await scene.snapshot();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [drawing.width, drawing.height];
  const context = canvas.getContext("2d");
  if (context === null) return;
  const [paper, ink] = dark.value ? ["#221f1d", "#f1ebe3"] : ["#f6f2ec", "#2b2521"];
  context.fillStyle = paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(drawing, 0, 0);
  const ratio = drawing.width / wide;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  for (const { text, x, y, size } of labels) {
    context.font = `italic ${String(size * ratio)}px "Instrument Serif", Georgia, serif`;
    context.lineWidth = 5 * ratio;
    context.strokeStyle = paper;
    context.strokeText(text, x * ratio, y * ratio);
    context.fillStyle = ink;
    context.fillText(text, x * ratio, y * ratio);
  }
  canvas.toBlob((blob) => {
    if (blob === null) toast("This browser cannot write the picture.");
    else download(blob, "fashionmap.png");
  }, "image/png");
}
