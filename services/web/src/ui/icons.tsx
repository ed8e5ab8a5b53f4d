// Line icons of one weight, drawn for this page.
import type { JSX } from "preact";

const PATHS: Record<string, string> = {
  filter: "M4 6h16M7 12h10M10.5 18h3",
  lasso: "M12 4c5 0 8.5 2.4 8.5 5.8S17 15.6 12 15.6 3.5 13.2 3.5 9.8 7 4 12 4Zm-4.5 11c-1.6.6-2.3 1.7-1.6 2.8.7 1 2.3 1 2.6 2.7",
  list: "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  whole: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500Z",
  drop: "M12 3.500c3.500 4.200 6 7 6 10.200a6 6 0 0 1-12 0c0-3.200 2.500-6 6-10.200Z",
  photo: "M4 6.500h4l1.500-2h5l1.500 2h4v12H4Zm8 2.500a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z",
  pulse: "M3 12h4l2.500-6 4.500 12 2.500-6H21",
  search: "M10.500 4.500a6 6 0 1 0 0 12 6 6 0 0 0 0-12ZM15 15l5 5",
  back: "M14.500 6l-6 6 6 6",
  next: "M9.500 6l6 6-6 6",
  save: "M12 4v11M7.500 11l4.500 4.500 4.500-4.500M5 19.500h14",
};

export function Icon({ name }: { name: string }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name] ?? ""} />
    </svg>
  );
}
