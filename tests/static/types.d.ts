// What the page's scripts find outside of their own files: libraries of others, and what browsers know that TypeScript does not yet.
declare const Papa: {
  parse(text: string, options: {
    delimiter: string;
    newline: string;
    quoteChar: string;
    chunkSize: number;
    chunk(part: { data: string[][]; errors: { type: string }[] }, parser: { pause(): void; resume(): void }): void;
    complete(): void;
  }): void;
};
declare const SwaggerUIBundle: (options: object) => void;
type Stroke = () => string;
declare interface UPlot {
  setData(data: (number | null)[][]): void;
  setSize(size: { width: number; height: number }): void;
  redraw(): void;
  destroy(): void;
  ctx: CanvasRenderingContext2D;
}
declare const uPlot: new (options: {
  width: number;
  height: number;
  cursor: { show: boolean };
  legend: { show: boolean };
  scales: { x?: { range: number[] }; y: { range: (plot: UPlot, least: number, most: number) => number[] } };
  axes: {
    stroke: Stroke;
    font: string;
    ticks: { show: boolean };
    grid: { show: boolean } | { stroke: Stroke; width: number };
    size: number;
    space?: number;
    incrs?: number[];
    values?: (plot: UPlot, splits: number[]) => string[];
  }[];
  series: { stroke?: Stroke; width?: number; points?: { show?: boolean; size: number; fill: Stroke } }[];
}, data: (number | null)[][], box: HTMLElement) => UPlot;

declare interface JSON {
  rawJSON?(text: string): object;
  isRawJSON?(value: unknown): boolean;
}
