/** Where a run is shown: in place on a terminal, or line by line. */
export interface Surface {
  readonly isInPlace: boolean;
  draw(id: string): void;
  close(how: { readonly keeps: boolean }): Promise<void>;
}
