// Where the page's own script or looks cannot be had, because its build has just been replaced or the way to the server
// broke: the page is loaded once more, and if that does not help it says so. It is never left white.
(() => {
  const TRIED = "inkstream.tried";
  const AGAIN_AFTER_MS = 30_000;
  const isThere = () => document.getElementById("app")?.hasChildNodes();

  addEventListener(
    "error",
    ({ target }) => {
      const isPart = target instanceof HTMLScriptElement || target?.rel === "stylesheet";
      if (!isPart || isThere()) return;
      if (mayTry()) location.reload();
      else if (document.readyState === "loading") addEventListener("DOMContentLoaded", say);
      else say();
    },
    true,
  );

  function mayTry() {
    try {
      const last = Number(sessionStorage.getItem(TRIED));
      sessionStorage.setItem(TRIED, String(Date.now()));
      return Date.now() - last > AGAIN_AFTER_MS;
    } catch {
      return false; // without storage there is no telling whether it was tried
    }
  }

  function say() {
    if (isThere()) return;
    const words = document.createElement("p");
    words.setAttribute("role", "alert");
    words.textContent = "Inkstream could not be loaded completely. What you have written is kept. ";
    const button = document.createElement("button");
    button.textContent = "Try again";
    button.addEventListener("click", () => location.reload());
    words.append(button);
    document.getElementById("app").append(words);
  }
})();
