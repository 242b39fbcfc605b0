/** An option of a command or of the program. */
export interface Option {
  /** Without dashes: `max-steps`. */
  readonly name: string;
  /** Letters that mean the same behind one dash: `vV` for -v and -V. */
  readonly short?: string;
  /** What stands for its value in the help. Without it the option is a switch. */
  readonly value?: string;
  /** Its value is optional: the next argument is its value, unless that looks like an option. */
  readonly isValueOptional?: boolean;
  /** It may be given more than once. */
  readonly repeatable?: boolean;
  readonly summary: string;
}
