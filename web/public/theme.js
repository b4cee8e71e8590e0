// Before the first paint, so that a chosen theme does not flash; a file of its own, since inline scripts are forbidden.
(() => {
  try {
    const theme = localStorage.getItem("inkstream.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // storage is closed to us: the system's theme it is
  }
})();
