// The case page: reasons that fit the chosen decision, and keyboard shortcuts that can be switched off.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const page = document.getElementById("case") ?? document.getElementById("decide-selected");
  const form = page?.querySelector("form[data-decide]");
  if (form) {
    showFittingReasons(form);
  }
  if (page?.id === "case") {
    useKeys(page, form);
  }
});

// Offer only the reasons that fit the decision, and choose the suggested one unless the moderator has chosen another.
function showFittingReasons(form) {
  const reason = form.elements.namedItem("reason");
  const options = [...reason.querySelectorAll("option")];
  let chosen = reason.value !== "";
  reason.addEventListener("change", () => { chosen = true; });
  const update = () => {
    const tile = form.querySelector("[name=decision]:checked");
    if (!tile) {
      return;
    }
    const fitting = tile.dataset.reasons.split(" ");
    for (const option of options) {
      option.hidden = option.disabled = option.value !== "" && !fitting.includes(option.value);
    }
    for (const group of reason.querySelectorAll("optgroup")) {
      group.hidden = [...group.children].every((option) => option.hidden);
    }
    if (!chosen || !fitting.includes(reason.value)) {
      reason.value = tile.dataset.suggested;
      chosen = false;
    }
  };
  form.addEventListener("change", (event) => {
    if (event.target.name === "decision") {
      update();
    }
  });
  update();
}

function useKeys(page, form) {
  const box = page.querySelector("#case-keys");
  const setting = "bookbridge.case.keys";
  const show = () => { page.dataset.keys = box?.checked === false ? "off" : "on"; };
  if (box) {
    box.checked = localStorage.getItem(setting) !== "off";
    box.addEventListener("change", () => {
      localStorage.setItem(setting, box.checked ? "on" : "off");
      show();
    });
  }
  show();
  document.addEventListener("keydown", (event) => {
    if (page.dataset.keys === "off" || event.altKey || event.metaKey || event.isComposing || event.repeat) {
      return;
    }
    const typing = event.target.closest("textarea, select, input:not([type=radio]):not([type=checkbox])");
    if (event.key === "Enter" && form?.contains(event.target) && typing?.matches("textarea") && event.ctrlKey) {
      form.querySelector("[name=_next]").click();
    }
    if (typing || event.ctrlKey) {
      return;
    }
    const key = event.key.toLowerCase();
    const target = page.querySelector(`[data-key="${CSS.escape(key)}"]`);
    const isButton = event.target.closest("a, button, summary");
    if (!target || (key === "enter" && (isButton || !form?.querySelector("[name=decision]:checked")))) {
      return;
    }
    event.preventDefault();
    target.click();
  });
}
