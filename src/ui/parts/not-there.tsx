import type { ComponentChild } from "preact";
import { hrefOf } from "../router.ts";

interface Props {
  readonly title: string;
  /** Where the user finds what there is; by default the list of tasks. */
  readonly back?: { readonly path: string; readonly title: string };
  /** What is not there, and why. */
  readonly children: ComponentChild;
}

/** In place of something that cannot be shown: it has a heading, as every view, and a way on. */
export function NotThere({
  title,
  back = { path: "/tasks", title: "Show the tasks" },
  children,
}: Props): ComponentChild {
  return (
    <>
      <h1>{title}</h1>
      {children}
      <p>
        <a href={hrefOf(back.path)}>{back.title}</a>
      </p>
    </>
  );
}
