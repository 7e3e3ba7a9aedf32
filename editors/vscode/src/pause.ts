// Where no suggestion comes on its own: files for this session, languages until told otherwise.

/** What is paused. A suggestion asked for by hand comes all the same. */
export class Pause {
  private readonly files = new Set<string>();

  constructor(private readonly languages: () => readonly string[]) {}

  /** Why a document is paused, such as "in Markdown files"; undefined if it is not. */
  reason(document: { uri: { toString(): string }; languageId: string }): string | undefined {
    if (this.files.has(document.uri.toString())) {
      return "in this file";
    }
    return this.languages().includes(document.languageId)
      ? `in all files of the language ${document.languageId}`
      : undefined;
  }

  /** Pause a file, or go on in it. */
  toggleFile(uri: { toString(): string }): void {
    const key = uri.toString();
    if (!this.files.delete(key)) {
      this.files.add(key);
    }
  }
}

/** The list with the language in it if it was not, else without. */
export function toggled(languages: readonly string[], language: string): string[] {
  const rest = languages.filter((other) => other !== language);
  return rest.length < languages.length ? rest : [...languages, language];
}
