import type { Frame } from 'playwright-core';

/** Run in the page: what reaches over its sides and cannot be scrolled to. */
const CUT_OFF = `(() => {
  const scrolls = (element) => /auto|scroll/.test(getComputedStyle(element).overflowX);
  const isScrolled = ({ parentElement }) =>
    parentElement !== null &&
    parentElement !== document.body &&
    (scrolls(parentElement) || isScrolled(parentElement));
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.offsetParent !== null && !element.matches('.spoken, .spoken *'))
    .filter((element) => {
      const { left, right } = element.getBoundingClientRect();
      return left < 0 || right > document.documentElement.clientWidth + 0.5;
    })
    .filter((element) => !isScrolled(element))
    .map((element) => element.outerHTML.slice(0, 120));
})()`;

/** The starts of those elements of a page that nobody can see all of at its present width. */
export function cutOff(frame: Frame): Promise<readonly string[]> {
  return frame.evaluate<readonly string[]>(CUT_OFF);
}
