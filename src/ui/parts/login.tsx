// Login with a token, the name of the current user, and logout.

import { effect } from "@preact/signals";
import type { ComponentChild } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, wantsToken } from "../api.ts";
import { inBackground } from "../in-background.ts";
import { askWhoIAm, logIn, logOut, useMe } from "../session.ts";
import { Failure } from "./failure.tsx";

export function Login(): ComponentChild {
  const [wanted, setWanted] = useState(wantsToken.value);
  useEffect(() => effect(() => setWanted(wantsToken.value)), []);
  const [token, setToken] = useState("");
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  // whoever types into another field when the session ends goes on typing there
  useEffect(() => {
    if (wanted && isNothingFocused()) field.current?.focus();
  }, [wanted]);
  if (!wanted) return null;
  const submit = async (): Promise<void> => {
    if (isBusy) return;
    setBusy(true);
    try {
      await logIn(token.trim());
      setToken("");
      setError(undefined);
      // the form goes, and the focus with it
      document.getElementById("main")?.focus({ preventScroll: true });
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="card login"
      aria-label="Log in"
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim() !== "") inBackground(submit)();
      }}
    >
      <label>
        This server wants a token: one that an admin has made (tokens create), or its TASKONAUT_API_TOKEN.
        <input
          ref={field}
          type="password"
          autocomplete="off"
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary" aria-disabled={isBusy}>
        {isBusy ? "Logging in…" : "Log in"}
      </button>
      <Failure error={error} />
    </form>
  );
}

function isNothingFocused(): boolean {
  const { activeElement } = document;
  return activeElement === null || activeElement === document.body || activeElement.id === "main";
}

/** Shows nothing if the server requires no token: then all users are the same. */
export function Who(): ComponentChild {
  const facts = useMe();
  useEffect(() => {
    // in another tab somebody else may have logged in
    const ask = (): void => {
      if (!document.hidden) inBackground(askWhoIAm)();
    };
    ask();
    document.addEventListener("visibilitychange", ask);
    return () => document.removeEventListener("visibilitychange", ask);
  }, []);
  const [error, setError] = useState<ApiError>();
  if (!facts || facts.by === "open") return null;
  const { name, role, flows, hides_payloads: hidesPayloads } = facts;
  const leave = async (): Promise<void> => {
    try {
      await logOut();
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      setError(thrown);
    }
  };
  return (
    <div class="who" role="group" aria-label="Who is logged in">
      <span>
        {name}{" "}
        <small>
          {[role, hidesPayloads ? "payloads are hidden" : "", flows?.join(", ")].filter(Boolean).join(", ")}
        </small>
      </span>
      {facts.by === "session" && (
        <button type="button" onClick={inBackground(leave)}>
          Log out
        </button>
      )}
      <Failure error={error} />
    </div>
  );
}
