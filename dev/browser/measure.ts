/**
 * How a page looks to who sees little, has a small screen or hears it read: as numbers.
 *
 * @module
 */

import type { Locator, Page } from "playwright-core";

// What pages have and Deno has not.
interface Element {
  readonly textContent: string;
  readonly childNodes: Iterable<{ readonly nodeType: number; readonly textContent: string }>;
  readonly parentElement: Element | null;
  matches(selector: string): boolean;
}
interface Style {
  readonly color: string;
  readonly backgroundColor: string;
  readonly outlineStyle: string;
  readonly outlineWidth: string;
}
declare function getComputedStyle(element: Element): Style;
declare const document: {
  readonly documentElement: { readonly scrollWidth: number; readonly clientWidth: number };
  querySelectorAll(selector: string): Iterable<Element>;
};

/** How many pixels a page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
}

/** The ring around what has the focus, in pixels; 0 without one. */
export function focusRing(focused: Locator): Promise<number> {
  return focused.evaluate((element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element as unknown as Element);
    return outlineStyle === "solid" ? Number.parseFloat(outlineWidth) : 0;
  });
}

/** The text with the least contrast on a page, and that contrast (WCAG 2.2 section 1.4.3). */
export async function leastContrast(page: Page): Promise<{ ratio: number; text: string }> {
  const seen = await page.evaluate(() => {
    const groundOf = (element: Element): string => {
      const { backgroundColor } = getComputedStyle(element);
      if (!/, 0\)$/.test(backgroundColor)) return backgroundColor;
      return element.parentElement ? groundOf(element.parentElement) : "rgb(255, 255, 255)";
    };
    return [...document.querySelectorAll("body *")]
      .filter((one) =>
        [...one.childNodes].some(({ nodeType, textContent }) =>
          nodeType === 3 && textContent.trim() !== ""
        )
      )
      .map((one) => ({
        text: one.textContent.trim(),
        ink: getComputedStyle(one).color,
        ground: groundOf(one),
      }));
  });
  const found = seen.map(({ text, ink, ground }) => ({ text, ratio: contrast(ink, ground) }));
  const [least] = found.sort((a, b) => a.ratio - b.ratio);
  if (!least) throw new Error("Cannot measure: the page has no text");
  return least;
}

/** Brightness of the page behind everything, from 0 to 1 (WCAG 2.2, relative luminance). */
export async function brightness(page: Page): Promise<number> {
  const [ground] = await page.locator("body").evaluateAll((bodies) =>
    bodies.map((body) => getComputedStyle(body as unknown as Element).backgroundColor)
  );
  return luminance(ground!);
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

function luminance(color: string): number {
  const channels = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(color);
  if (!channels) throw new Error(`Cannot measure ${color}`);
  const [red, green, blue] = channels.slice(1).map((channel) => {
    const value = Number(channel) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
