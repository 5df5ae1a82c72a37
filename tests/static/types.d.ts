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
declare const uPlot: new (options: object, data: number[][], box: HTMLElement) => {
  setSize(size: { width: number; height: number }): void;
  redraw(): void;
  destroy(): void;
  ctx: CanvasRenderingContext2D;
};

declare interface JSON {
  rawJSON?(text: string): object;
  isRawJSON?(value: unknown): boolean;
}
