/* Made from the contracts by `make types`: change those, not this. */

import type { ToolLabels } from "./contracts.ts";

export type ToolEffect = "reads" | "creates" | "changes" | "deletes";
export interface Tool {
  effect: ToolEffect;
  labels: ToolLabels;
}

export const TOOLS = {
  "list_notes": {
    "effect": "reads",
    "labels": {
      "request": "Look through your notes",
      "running": "Looking through your notes",
      "done": "Looked through your notes",
      "failed": "Could not list your notes",
      "with_title": false
    }
  },
  "read_note": {
    "effect": "reads",
    "labels": {
      "request": "Read",
      "running": "Reading",
      "done": "Read",
      "failed": "Could not read",
      "with_title": true
    }
  },
  "search_notes": {
    "effect": "reads",
    "labels": {
      "request": "Search your notes",
      "running": "Searching",
      "done": "Searched",
      "failed": "Could not search",
      "with_title": false
    }
  },
  "create_note": {
    "effect": "creates",
    "labels": {
      "request": "Create",
      "running": "Creating",
      "done": "Created",
      "failed": "Could not create",
      "with_title": true
    }
  },
  "update_note": {
    "effect": "changes",
    "labels": {
      "request": "Change",
      "running": "Changing",
      "done": "Changed",
      "failed": "Could not change",
      "with_title": true
    }
  },
  "delete_note": {
    "effect": "deletes",
    "labels": {
      "request": "Delete",
      "running": "Deleting",
      "done": "Deleted",
      "failed": "Could not delete",
      "with_title": true
    }
  },
  "edit_note": {
    "effect": "changes",
    "labels": {
      "request": "Edit",
      "running": "Editing",
      "done": "Edited",
      "failed": "Could not edit",
      "with_title": true
    }
  }
} as const satisfies Record<string, Tool>;
export type ToolName = keyof typeof TOOLS;
