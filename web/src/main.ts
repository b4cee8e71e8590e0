import "./ui/fonts.css";
import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/print.css";
import "./markdown/prose.css";
import "./markdown/code/code.css";

import { mount } from "svelte";

import App from "./app/App.svelte";
import { reportUncaught } from "./lib/report.ts";
import { installWorker } from "./offline/install-worker.ts";
import { leaveKeysToInputMethods } from "./ui/input-method.ts";

const target = document.getElementById("app");
if (!target) throw new Error("the page has no place for the app");

reportUncaught(window);
leaveKeysToInputMethods(window);
mount(App, { target });
installWorker();
