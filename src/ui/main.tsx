import { render } from "preact";
import { App } from "./app.tsx";
import { showControlsInPage } from "./show-controls.ts";

showControlsInPage();
const root = document.getElementById("app");
if (root) render(<App />, root);
