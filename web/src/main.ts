import "./ui/fonts.css";
import "./ui/tokens.css";
import "./ui/base.css";
import "./markdown/prose.css";
import "./markdown/code/code.css";

import { mount } from "svelte";

import App from "./app/App.svelte";
import { installWorker } from "./offline/install-worker.ts";

const target = document.getElementById("app");
if (!target) throw new Error("the page has no place for the app");

mount(App, { target });
installWorker();
