// Stacks of errors as they are for people, where the error's own text tells less: a flow sees stacks without folders.

const stacks = new WeakMap<object, string>();

export function noteWholeStack(error: object, stack: string): void {
  stacks.set(error, stack);
}

export function wholeStackOf(error: object): string | undefined {
  return stacks.get(error);
}
