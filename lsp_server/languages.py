"""Language ids: one table of what editors call a language, and of how its files are called.

Every other table of the server is keyed by the ids of VS Code, to which a document's language is
brought when it opens. Neovim sends its filetype, Emacs the name of the major mode, Helix and Zed
the name of the language, Kate that of its highlighting, Sublime Text a scope.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import NamedTuple


class _Language(NamedTuple):
    """A language by its names, each of them words with spaces between."""

    aliases: str = ""
    """Other names, as `_folded` writes them."""
    suffixes: str = ""
    """Suffixes of its files, without the dot."""
    files: str = ""
    """Names of files in lower case; one that ends in a dot may have any suffix."""
    programs: str = ""
    """Interpreters that a first line with `#!` names."""


_LANGUAGES = {
    "asciidoc": _Language("adoc", "adoc asciidoc"),
    "bat": _Language("batch dosbatch cmd batchfile ms-dos-batch windows-batch", "bat cmd"),
    "bibtex": _Language("bib", "bib"),
    "c": _Language("ansi-c gnuc", "c"),
    "clojure": _Language("clj clojurescript clojurec edn", "clj cljs cljc edn"),
    "cmake": _Language("", "cmake", "cmakelists.txt"),
    "coffeescript": _Language("coffee", "coffee"),
    "cpp": _Language("c++ cc cxx arduino ino", "cpp cc cxx c++ hpp hh hxx h++ h ino ipp inl"),
    "crystal": _Language("cr", "cr"),
    "csharp": _Language("cs c-sharp c# csharpscript csx dotnet", "cs csx cake"),
    "css": _Language("", "css"),
    "cuda-cpp": _Language("cuda cu", "cu cuh"),
    "dart": _Language("flutter", "dart"),
    "diff": _Language("patch udiff", "diff patch"),
    "dockerfile": _Language(
        "docker containerfile", "dockerfile", "dockerfile dockerfile. containerfile containerfile."
    ),
    "elixir": _Language("ex eelixir heex", "ex exs heex", "", "elixir"),
    "elm": _Language("", "elm"),
    "erlang": _Language("erl", "erl hrl", "", "escript"),
    "fish": _Language("", "fish", "", "fish"),
    "fsharp": _Language("f# fs f-sharp", "fs fsi fsx"),
    "git-commit": _Language(
        "gitcommit git-commit-message git-commit-edit hgcommit magit-commit svn jjdescription",
        "",
        "commit_editmsg merge_msg tag_editmsg",
    ),
    "git-rebase": _Language("gitrebase", "", "git-rebase-todo"),
    "go": _Language("golang", "go"),
    "graphql": _Language("gql", "graphql gql"),
    "groovy": _Language("gradle jenkinsfile", "groovy gradle", "jenkinsfile jenkinsfile."),
    "haskell": _Language("hs lhaskell literate-haskell haskell-literate", "hs lhs"),
    "html": _Language("htm xhtml mhtml html+ htmldjango django-html html-basic", "html htm xhtml"),
    "ini": _Language("dosini conf conf-unix conf-windows ini-files cfg", "ini cfg editorconfig"),
    "java": _Language("jdk", "java"),
    "javascript": _Language(
        "js js2 js3 ecma ecmascript mjs cjs node nodejs javascript-babel",
        "js mjs cjs es6",
        "",
        "node nodejs",
    ),
    "javascriptreact": _Language(
        "jsx js-jsx javascript.jsx javascript-react javascript-jsx rjsx js-react js.react "
        "javascript-react-(jsx)",
        "jsx",
    ),
    "json": _Language("js-json geojson", "json geojson webmanifest ipynb"),
    "jsonc": _Language("json5 hjson json-with-comments", "jsonc json5 code-workspace"),
    "julia": _Language("jl", "jl", "", "julia"),
    "kotlin": _Language("kt kts", "kt kts"),
    "latex": _Language("tex plaintex plain-tex context", "tex sty cls ltx"),
    "less": _Language("", "less"),
    "lua": _Language("luau luajit", "lua luau", "", "lua luajit"),
    "makefile": _Language(
        "make mk gnumakefile gnu-makefile gmake makefile-gmake makefile-bsdmake makefile-automake "
        "makefile-makepp makefile-imake automake bsdmakefile",
        "mk mak make",
        "makefile makefile. gnumakefile bsdmakefile",
    ),
    "markdown": _Language(
        "md gfm mdx pandoc rmd rmarkdown r-markdown quarto vimwiki markdown-gfm markdown-inline "
        "multimarkdown",
        "md markdown mdx rmd qmd mkd",
    ),
    "nim": _Language("", "nim nims"),
    "nix": _Language("", "nix"),
    "objective-c": _Language(
        "objc objectivec objcpp objcxx objc++ objective-cpp objective-c++ obj-c obj-c++ "
        "objectivecpp",
        "m mm",
    ),
    "ocaml": _Language("ml tuareg caml", "ml mli"),
    "org": _Language("orgmode", "org"),
    "perl": _Language("perl5 cperl pl", "pl pm t", "", "perl"),
    "php": _Language("php3 php-only html+php phtml php-(html)", "php phtml", "", "php"),
    "plaintext": _Language(
        "text txt plain plain-text normal none fundamental help mail man", "txt text log"
    ),
    "powershell": _Language("ps1 posh pwsh", "ps1 psm1 psd1", "", "pwsh"),
    "proto": _Language("protobuf proto3 protocol-buffer protocol-buffers", "proto"),
    "python": _Language(
        "py python3 python2 ipython pyrex cython sage magicpython python-django starlark bazel "
        "snakemake",
        "py pyi pyw pyx pxd bzl smk",
        "sconstruct sconscript wscript snakefile",
        "python python2 python3 pypy pypy3 ipython",
    ),
    "r": _Language("rscript r-script ess-r rsplus splus", "r", ".rprofile", "rscript"),
    "raku": _Language("perl6 rakudo", "raku rakumod p6", "", "raku"),
    "restructuredtext": _Language("rst", "rst"),
    "ruby": _Language(
        "rb enh-ruby ruby-on-rails rails jruby",
        "rb rake gemspec ru podspec",
        "gemfile rakefile vagrantfile podfile fastfile guardfile brewfile capfile",
        "ruby jruby",
    ),
    "rust": _Language("rs rustic", "rs"),
    "scala": _Language("sbt", "scala sbt sc"),
    "scss": _Language("", "scss"),
    "shellscript": _Language(
        "sh bash zsh ksh mksh dash ash csh tcsh shell shell-script shell-unix-generic bash-script "
        "unix-shell posix-shell sh-bash shell-bash bats pkgbuild",
        "sh bash zsh ksh mksh csh bats ebuild eclass",
        ".bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .zshrc .zprofile "
        ".zshenv .zlogin .zlogout .kshrc .xinitrc .xprofile pkgbuild apkbuild",
        "sh bash zsh ksh mksh dash ash bats",
    ),
    "sql": _Language("mysql plsql pgsql postgresql tsql sqlite sql-mysql sql-(postgresql)", "sql"),
    "svelte": _Language("", "svelte"),
    "swift": _Language("", "swift", "", "swift"),
    "terraform": _Language("hcl tf tfvars terraform-vars opentofu", "tf tfvars hcl"),
    "toml": _Language("conf-toml", "toml", "pipfile cargo.lock poetry.lock uv.lock"),
    "typescript": _Language("ts mts cts deno", "ts mts cts"),
    "typescriptreact": _Language(
        "tsx ts-tsx typescript.tsx typescript-react typescript-tsx typescriptreact-(tsx) "
        "typescript-react-(tsx) typescript-jsx",
        "tsx",
    ),
    "vb": _Language("vbnet vb.net visual-basic visual-basic-.net", "vb vbs"),
    "vim": _Language("viml vimscript vim-script", "vim", ".vimrc"),
    "vue": _Language("vue.js vuejs vue-html vue-component", "vue"),
    "xml": _Language("nxml xsd svg xslt xsl", "xml xsd xsl xslt svg plist csproj"),
    "yaml": _Language(
        "yml ansible docker-compose dockercompose helm github-actions-workflow eruby.yaml "
        "azure-pipelines gitlab-ci",
        "yaml yml",
        ".clang-format .clang-tidy",
    ),
    "zig": _Language("", "zig zon"),
}

IDS = frozenset(_LANGUAGES)
"""The ids that the server's tables are keyed by."""

_BY_NAME = {
    name: id_ for id_, known in _LANGUAGES.items() for name in (id_, *known.aliases.split())
}
_BY_SUFFIX = {
    f".{suffix}": id_ for id_, known in _LANGUAGES.items() for suffix in known.suffixes.split()
}
_BY_FILE = {file: id_ for id_, known in _LANGUAGES.items() for file in known.files.split()}
_BY_PROGRAM = {
    program: id_ for id_, known in _LANGUAGES.items() for program in known.programs.split()
}

_BLANKS = re.compile(r"[\s_]+")
_SHEBANG = re.compile(r"#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+|\w+=\S*\s+)*(?:\S*/)?)?([A-Za-z]+)")
_LONGEST = 256
"""Characters of a name or of a first line that are looked at."""


def language_id(sent: str, path: str = "", first_line: str = "") -> str:
    """Return the id by which the server's tables know a document's language.

    An id that no table knows falls back to the name of the file and then to its first line; where
    they tell nothing either, it stays as it is.

    >>> [language_id(sent) for sent in ("sh", "C#", "python-ts-mode", "yaml.ansible")]
    ['shellscript', 'csharp', 'python', 'yaml']
    >>> language_id("", "/w/Makefile"), language_id("", "run", "#!/usr/bin/env python3")
    ('makefile', 'python')
    >>> language_id("brainfuck", "/w/a.bf")
    'brainfuck'
    """
    return _by_name(sent) or _by_file(path) or _by_shebang(first_line) or sent


def _by_name(sent: str) -> str:
    """Return the id of a language by any name, or of the last dotted part that is known."""
    name = _folded(sent)
    return next(
        (_BY_NAME[part] for part in (name, *reversed(name.split("."))) if part in _BY_NAME), ""
    )


def _folded(sent: str) -> str:
    """Return a name without case, blanks, and what Emacs and Sublime Text put around it."""
    name = _BLANKS.sub("-", sent[:_LONGEST].strip().lower())
    name = name.removesuffix("-mode").removesuffix("-ts").removesuffix("-base")
    return name.removeprefix("source.").removeprefix("text.")


def _by_file(path: str) -> str:
    name = PurePosixPath(path).name.lower()
    stem, dot, _ = name.partition(".")
    suffix = PurePosixPath(name).suffix
    return _BY_FILE.get(name) or _BY_SUFFIX.get(suffix) or _BY_FILE.get(stem + dot, "")


def _by_shebang(line: str) -> str:
    found = _SHEBANG.match(line[:_LONGEST])
    return _BY_PROGRAM.get(found[1].lower(), "") if found else ""
