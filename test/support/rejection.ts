/**
 * What a promise rejects with; throws where it does not. Unlike `expect(promise).rejects`, which turns the event loop
 * itself until the promise settles, this lets the test go on meanwhile.
 */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  let given: unknown;
  try {
    given = await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new TypeError(`It rejected with what is no Error: ${Bun.inspect(error)}`, { cause: error });
  }
  throw new Error(`It should have rejected, but gave ${Bun.inspect(given)}`);
}
