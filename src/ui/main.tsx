import { render } from "preact";
import { App } from "./app.tsx";
import { keepScrollPlace } from "./scroll-place.ts";
import { showControlsInPage } from "./show-controls.ts";

showControlsInPage();
keepScrollPlace();
const root = document.getElementById("app");
if (root) render(<App />, root);
