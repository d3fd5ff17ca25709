"use strict";
// Comfort only: a button for the other colours; a shade where a wide table or drawing goes on to
// the right, and no stop for the keyboard where none does. The page says everything without it.
(() => {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (prefersDark.matches ? "dark" : "light")) === "dark";
  const show = () => button.setAttribute("aria-pressed", String(isDark()));
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    show();
  });
  prefersDark.addEventListener("change", show);
  button.hidden = false;
  show();

  const wide = document.querySelectorAll(".scroll");
  const goesOn = (part) => part.scrollWidth - part.clientWidth - part.scrollLeft > 2;
  const shade = (part) => part.classList.toggle("more", goesOn(part));
  const seen = new ResizeObserver((found) => found.forEach(({ target }) => {
    target.tabIndex = target.scrollWidth - target.clientWidth > 2 ? 0 : -1;
    shade(target);
  }));
  wide.forEach((part) => {
    seen.observe(part);
    part.addEventListener("scroll", () => shade(part), { passive: true });
  });
})();
