/** The keyboard shortcuts, for the dialog that lists them. `mod` is Cmd on a Mac and Ctrl elsewhere. */
export const SHORTCUTS: { title: string; keys: [keys: string, what: string][] }[] = [
  {
    title: "Anywhere",
    keys: [
      ["mod K", "Find a note, a conversation or a command"],
      ["/", "Search notes"],
      ["N", "New note"],
      ["M", "Write to the assistant"],
      ["?", "Show these shortcuts"],
      ["Esc", "Close what is open"],
    ],
  },
  {
    title: "In a list",
    keys: [
      ["↓ ↑", "Next and previous"],
      ["Enter", "Open"],
    ],
  },
  {
    title: "On a divider",
    keys: [
      ["← → ↑ ↓", "Make a pane wider or narrower"],
      ["Enter", "Hide the pane"],
    ],
  },
  {
    title: "In a note",
    keys: [
      ["Enter", "From the title to the text"],
      ["mod B", "Bold"],
      ["mod I", "Italic"],
      ["mod E", "Code"],
      ["mod Shift X", "Strikethrough"],
      ["mod K", "Make the selected text a link"],
      ["mod Alt 1 2 3", "Heading; with 0: paragraph"],
      ["mod Shift 7 8 9", "List with numbers, with bullets, of tasks"],
      ["Alt ↑ ↓", "Move the line"],
      ["mod F", "Find and replace in the note"],
      ["/", "At the beginning of a line or behind a blank: insert a heading, a list, a table …"],
      ["[[", "Link to another note"],
      ["mod Enter", "Follow the link at the cursor, or tick the task"],
      ["Tab", "In a list: indent the item; in a table: the next cell; elsewhere: move to the next control"],
      ["Shift Tab", "In a list: outdent the item; in a table: the previous cell"],
      ["Esc Tab", "Move to the next control, also in a list or a table"],
      ["mod Z", "Undo what you typed or ticked; with Shift: redo what you typed"],
      ["mod S", "Save now"],
    ],
  },
  {
    title: "In a message",
    keys: [
      ["Enter", "Send"],
      ["Shift Enter", "A new line"],
      ["@", "Mention a note"],
      ["↑", "Edit your last message"],
    ],
  },
];
