"""A type with a base, and what opens one, in the files of a workspace, by language.

Below them types with one name, and such as stand in several files or in one another.
"""

from __future__ import annotations

PYTHON = {
    "shop/ledger.py": (
        "class Ledger(Book):\n"
        "    cents: int\n"
        "    book: Book\n"
        "    def balance(self, at: int) -> int:\n"
        "        return 1\n"
        "    @classmethod\n"
        "    def load(cls, path: str) -> Self: ...\n"
        "    def _hidden(self): ...\n"
    ),
    "shop/book.py": (
        "class Book:\n"
        "    def __init__(self, owner: str) -> None:\n"
        '        """Begin."""\n'
        "    def owner_name(self) -> str: ...\n"
        "    def closed(self): ...\n"
    ),
    "shop/bank.py": (
        "def open_ledger(\n"
        "    path: str,\n"
        "    mode: str,\n"
        "    *,\n"
        "    create: bool = False,\n"
        ") -> Ledger:\n"
        '    """Open."""\n'
        "    return Ledger()\n"
        "LAST = Ledger('x')\n"
    ),
}
JAVA = {
    "Ledger.java": (
        "class Ledger extends Book {\n  Ledger(int cents) {}\n  int balance() { return 1; }\n}\n"
    ),
    "Book.java": "class Book {\n  String ownerName() { return null; }\n}\n",
    "Bank.java": "class Bank {\n  static Ledger open(String path) { return null; }\n}\n",
}
TYPESCRIPT = {
    "ledger.ts": (
        "export class Ledger extends Book {\n  constructor(cents: number) {}\n"
        "  balance(): number { return 1; }\n}\n"
    ),
    "book.ts": "export class Book {\n  ownerName(): string { return ''; }\n}\n",
    "bank.ts": "export async function open(path: string): Promise<Ledger> {\n  return x;\n}\n",
}
CSHARP = {
    "Ledger.cs": (
        "class Ledger : Book {\n  public Ledger(int c) {}\n  public int Cents { get; set; }\n}\n"
    ),
    "Book.cs": "class Book {\n  public string OwnerName() { return null; }\n}\n",
    "Bank.cs": "class Bank {\n  public static Ledger Open(string p) { return null; }\n}\n",
}
PHP = {
    "Ledger.php": (
        "<?php\nclass Ledger extends Book {\n  public function __construct(int $cents) {}\n"
        "  public function balance(): int { return 1; }\n}\n"
    ),
    "Book.php": "<?php\nclass Book {\n  public function ownerName() {}\n}\n",
    "Bank.php": "<?php\nclass Bank {\n  static function open(string $p): Ledger {}\n}\n",
}
CPP = {
    "ledger.hpp": (
        "class Ledger : public Book {\n public:\n  int balance() { return 1; }\n  int cents;\n};\n"
    ),
    "book.hpp": "class Book {\n public:\n  int owner_name() { return 1; }\n};\n",
    "bank.hpp": "Ledger *open_ledger(const char *path);\n",
}
RUBY = {
    "ledger.rb": (
        "class Ledger < Book\n  def initialize(cents)\n    @cents = cents\n  end\n"
        "  def balance\n  end\nend\n"
    ),
    "book.rb": "class Book\n  def owner_name\n  end\nend\n",
}
GO = {
    "ledger.go": (
        "package p\n\ntype Ledger struct {\n\tBook\n}\n\n"
        "func (l *Ledger) Balance() int { return 1 }\n"
        "func Open(path string) (*Ledger, error) { return nil, nil }\n"
    ),
    "book.go": "package p\n\ntype Book struct{}\n\nfunc (b *Book) Owner() int { return 1 }\n",
}
RUST = {
    "ledger.rs": (
        "pub struct Ledger {\n    pub cents: i64,\n}\nimpl Ledger {\n"
        "    pub fn open(path: &str) -> Self { x }\n    pub fn balance(&self) -> i64 { 1 }\n}\n"
    ),
}
EVENTS = {
    "audit/event/Event.java": "class Event {\n  int actor;\n}\n",
    "shop/event/Event.java": "class Event {\n  int order;\n}\n",
}
PARTS = {
    "a.rs": "pub struct A {\n    pub b: i32,\n}\n",
    "more.rs": "impl A {\n    pub fn c(&self) {}\n}\n",
    "old.rs": "pub struct B {}\n",
}
PACKAGES = {
    "mail/client.go": "package mail\n\ntype Client struct {\n\tHost string\n}\n",
    "mail/send.go": "package mail\n\nfunc (c *Client) Send() {}\n",
    "web/client.go": "package web\n\ntype Client struct {\n}\n\nfunc (c *Client) Fetch() {}\n",
}
NESTED = {
    "A.java": (
        "class A {\n  static B make() { return null; }\n"
        "  static class B extends C {\n    int d;\n  }\n}\n"
    ),
    "C.java": "class C {\n  int e;\n}\n",
}
