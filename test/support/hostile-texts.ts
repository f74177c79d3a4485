/** What someone may write into a file so that what shows the file does as they wish. */
export const HOSTILE = {
  /** Notifications and the quick input run the command by a click. */
  link: '[click](command:workbench.action.terminal.new "harmless")',
  autolink: '<command:workbench.action.terminal.new>',
  icon: '$(alert) $(sync~spin)',
  html: '<img src=x onerror="alert(1)"><a href="command:workbench.action.terminal.new">click</a>',
  /** Sets a terminal's title, rings, goes to the start of the line, and one in a single byte. */
  controls: 'a\u001B]0;title\u0007b\rc\0d\u009B31m',
  /** Reads as "exe.jpg", and swallows what comes behind it. */
  bidirectional: '\u202Egpj.exe\u2066',
  invisible: 'a\u200Bb\u2060c\uFEFFd\u00ADe\u{E0041}f',
} as const;

/** All of them in one text. */
export const ALL_HOSTILE = Object.values(HOSTILE).join(' ');

/** First and last code points of what has no shape of its own, or steers what is around it. */
const SHAPELESS: readonly (readonly [number, number])[] = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xfeff, 0xfeff],
  [0xe0000, 0xe007f],
];

/** Whether a text has one of these. */
export function hidesSomething(text: string): boolean {
  return [...text].some((character) => {
    const code = character.codePointAt(0)!;
    return SHAPELESS.some(([first, last]) => code >= first && code <= last);
  });
}

/** Whether VS Code's notifications would find a link in a text. */
export function hasLink(text: string): boolean {
  return /\[[^\]]+\]\((https?|command|file):/i.test(text);
}

/** A label as VS Code draws it: with ⟦name⟧ where it draws an icon. */
export function drawnLabel(label: string): string {
  return label.replaceAll(/(\\?)\$\(([\w-]+(?:~\w+)?)\)/g, (_all, slash: string, name: string) =>
    slash === '' ? `⟦${name}⟧` : `$(${name})`,
  );
}
