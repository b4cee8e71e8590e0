import "./ui/fonts.css";
import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/prose.css";
import "./ui/code.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { installWorker } from "./offline/install.ts";

const target = document.getElementById("app");
if (!target) throw new Error("the page has no place for the app");

mount(App, { target });
installWorker();
