// One garment: its cut-out, its photo with the mask outlined, what was worn with it, what is most alike.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Detail } from "../data/details";
import { metadataOf } from "../data/export";
import { drawOutlined, maskAt } from "../data/masks";
import type { Explorer } from "../explorer";
import { dark } from "../theme";
import { Icon } from "./icons";
import { Mosaic, Picture } from "./Picture";

export function UnitPanel({ explorer, index }: { explorer: Explorer; index: number }): JSX.Element {
  const { data } = explorer;
  const [detail, setDetail] = useState<Detail | null>(null);
  const [trouble, setTrouble] = useState("");
  useEffect(() => {
    let there = true;
    setDetail(null);
    setTrouble("");
    explorer.details
      .of(index)
      .then((found) => there && setDetail(found))
      .catch((error: unknown) => there && setTrouble(error instanceof Error ? error.message : String(error)));
    return () => {
      there = false;
    };
  }, [explorer, index]);
  const { anchor } = explorer.choice;
  const near = anchor.value.near;
  const walking = near.length > 0 && anchor.value.index !== index;
  const together = data.ofSamePhoto(index);
  return (
    <>
      <header class="panel-head">
        <h2>{data.categoryOf(index)}</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick={() => explorer.choice.closeUnit()}>
          <Icon name="close" />
        </button>
      </header>
      <div class="hero">
        <Picture explorer={explorer} index={index} pixels={192} />
      </div>
      {detail !== null && <Swatches explorer={explorer} detail={detail} />}
      {trouble !== "" && <p class="trouble">{trouble}</p>}
      {near.length > 0 && (
        <section>
          <div class="section-head">
            <h3>{walking ? "On a walk among these" : "Most alike"}</h3>
            <span class="walk">
              <button type="button" class="icon-button" aria-label="The one before" onClick={() => explorer.choice.step(-1)}>
                <Icon name="back" />
              </button>
              <button type="button" class="icon-button" aria-label="The next one" onClick={() => explorer.choice.step(1)}>
                <Icon name="next" />
              </button>
            </span>
          </div>
          {walking && (
            <p class="quiet">
              Neighbours of {data.categoryOf(anchor.value.index)} {data.idOf(anchor.value.index)}.{" "}
              <button type="button" class="text-button" onClick={() => explorer.choice.dive()}>
                Neighbours of this one
              </button>
            </p>
          )}
          <Mosaic explorer={explorer} rows={near.slice(0, 16)} pixels={76} current={index} pick={(other) => explorer.choice.select(other, { fly: true, walk: true })} />
        </section>
      )}
      <Photo explorer={explorer} index={index} detail={detail} />
      {together.length > 0 && (
        <section>
          <h3>Worn together</h3>
          <Mosaic explorer={explorer} rows={together} pixels={76} pick={(other) => explorer.choice.select(other, { fly: true })} />
        </section>
      )}
      <Facts explorer={explorer} index={index} />
    </>
  );
}

function Swatches({ explorer, detail }: { explorer: Explorer; detail: Detail }): JSX.Element {
  return (
    <ul class="swatches" aria-label="Colours">
      {detail.colours.map(({ hex, share }) => (
        <li key={hex} style={{ flexGrow: Math.max(share, 0.06) }}>
          <button
            type="button"
            title={`${hex}, ${String(Math.round(share * 100))} %: find this colour`}
            aria-label={`Find garments of colour ${hex}`}
            style={{ background: hex }}
            onClick={() => explorer.nearColour(hex)}
          />
        </li>
      ))}
    </ul>
  );
}

function Photo({ explorer, index, detail }: { explorer: Explorer; index: number; detail: Detail | null }): JSX.Element | null {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [state, setState] = useState<"waiting" | "there" | "none">("waiting");
  const isDark = dark.value;
  useEffect(() => {
    let there = true;
    setState("waiting");
    if (detail === null) return undefined;
    void explorer.details
      .preview(index)
      .then(async (blob) => {
        if (blob === null) throw new Error("none");
        const photo = await createImageBitmap(blob);
        const context = canvas.current?.getContext("2d", { willReadFrequently: true });
        if (!there || context == null) return;
        [context.canvas.width, context.canvas.height] = [photo.width, photo.height];
        const mask = maskAt(detail.counts, explorer.details.photoSize(index), photo.width, photo.height);
        drawOutlined(context, photo, mask, isDark ? { paper: [24, 22, 21], line: [255, 176, 148] } : { paper: [246, 242, 236], line: [176, 52, 34] });
        setState("there");
      })
      .catch(() => there && setState("none"));
    return () => {
      there = false;
    };
  }, [explorer, index, detail, isDark]);
  return (
    <section>
      <h3>On the photo</h3>
      {state === "none" && <p class="quiet">This map has no picture of the photo.</p>}
      <canvas ref={canvas} hidden={state !== "there"} data-state={state} class="photo" role="img" aria-label={`${explorer.data.fileName(index)}, with the ${explorer.data.categoryOf(index)} outlined`} />
    </section>
  );
}

function Facts({ explorer, index }: { explorer: Explorer; index: number }): JSX.Element {
  const { data } = explorer;
  const { segmenter, embedder } = data.about.models;
  const rows: [string, string][] = [
    ["photo", data.fileName(index)],
    ...(data.labelOf(index) === "" ? [] : ([["group", data.labelOf(index)]] as [string, string][])),
    ...data.facets.flatMap((facet): [string, string][] => {
      const value = metadataOf(data, facet.name, index);
      return value === null ? [] : [[facet.name, typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 3 }) : value]];
    }),
    ["score", data.scoreOf(index).toFixed(2)],
    ["id", data.idOf(index)],
    ["cut out by", segmenter == null ? "unknown" : `${segmenter.name} ${segmenter.version}`],
    ["compared by", embedder == null ? "unknown" : `${embedder.name} ${embedder.version}`],
  ];
  return (
    <section>
      <h3>About it</h3>
      <dl class="facts">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
