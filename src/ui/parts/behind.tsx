import type { ComponentChild } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface Props {
  /** The text of the button. */
  readonly title: string;
  /** Its whole name, for those who do not see what is beside it. */
  readonly label: string;
  readonly look?: string;
  /** What is behind the button; `close` shows the button again. */
  readonly children: (close: () => void) => ComponentChild;
}

/** A form behind a button. It takes the focus when it opens; Escape closes it, and the button has the focus again. */
export function Behind({ title, label, look = "small", children }: Props): ComponentChild {
  const [isOpen, setOpen] = useState(false);
  const wasOpen = useRef(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isOpen) box.current?.querySelector<HTMLElement>("input, select, textarea")?.focus();
    else if (wasOpen.current) button.current?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  if (!isOpen) {
    return (
      <button ref={button} type="button" class={look} aria-label={label} onClick={() => setOpen(true)}>
        {title}
      </button>
    );
  }
  const close = (): void => setOpen(false);
  return (
    <div
      ref={box}
      class="behind"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        close();
      }}
    >
      {children(close)}
      <button type="button" class="small" onClick={close}>
        Leave it
      </button>
    </div>
  );
}
