/**
 * The script of the page at `/`: it shows the buttons that copy, and copies. Without it there are
 * no buttons, and texts are selected by hand.
 *
 * @module
 */

/** How long a button says what it did, in milliseconds. */
const TOLD_MS = 2000;

/**
 * The script. Browsers offer the clipboard to secure pages only, so elsewhere it has them copy a
 * selection, and where they do not, it leaves the text selected.
 */
export const SCRIPT = `
const status = document.querySelector("[role=status]");
let timer;
let unsay = () => {};
for (const button of document.querySelectorAll(".copy")) {
  const text = button.parentElement.querySelector("pre");
  const tell = (word) => {
    clearTimeout(timer);
    unsay();
    button.textContent = status.textContent = word;
    unsay = () => {
      button.textContent = "Copy";
      status.textContent = "";
    };
    timer = setTimeout(unsay, ${TOLD_MS});
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      tell("Copied");
    } catch {
      getSelection().selectAllChildren(text);
      tell(document.execCommand("copy") ? "Copied" : "Selected");
    }
  });
}
`;
