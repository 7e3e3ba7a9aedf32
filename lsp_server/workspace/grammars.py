"""The languages whose definitions are found, and where their grammars have them.

The grammars come as wheels of the tree-sitter project, compiled: nothing is fetched or built when
they are used. The `tags.scm` in those wheels differ too much to rest on (Bash has none,
TypeScript's is an addition to JavaScript's), so the patterns are our own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from threading import get_ident

from tree_sitter import Language, Parser, Query, Tree

PARSE_S = 2.0
"""Seconds to parse a whole file; only text on which a parser goes wrong takes longer."""

_PIECE = 4_096
"""Bytes of a text that are read at once: the text of a node is read so too."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """A grammar's package, its function that gives the language, and a query over its trees.

    The query captures `@name` of each `@type`, `@function`, `@value` and `@field`; a field is a
    part of a type's outline only.
    """

    package: str
    query: str
    function: str = "language"


_JAVASCRIPT = """
(class_declaration name: (_) @name) @type
(function_declaration name: (_) @name) @function
(generator_function_declaration name: (_) @name) @function
(method_definition name: (_) @name) @function
(program (lexical_declaration (variable_declarator name: (identifier) @name)) @value)
(export_statement (lexical_declaration (variable_declarator name: (identifier) @name)) @value)
(program (variable_declaration (variable_declarator name: (identifier) @name)) @value)
(program (expression_statement (assignment_expression
  left: (member_expression object: (_) @_of property: (_) @name)
  right: [(function_expression) (arrow_function)] @function))
  (#any-of? @_of "exports" "module.exports"))
(program (expression_statement (assignment_expression
  left: (member_expression object: (_) @_of property: (_) @name)
  right: [(number) (string) (object) (array) (class) (call_expression) (new_expression)])) @value
  (#any-of? @_of "exports" "module.exports"))
"""
_TYPESCRIPT = f"""{_JAVASCRIPT}
(abstract_class_declaration name: (_) @name) @type
(interface_declaration name: (_) @name) @type
(enum_declaration name: (_) @name) @type
(type_alias_declaration name: (_) @name) @value
(function_signature name: (_) @name) @function
(ambient_declaration (lexical_declaration (variable_declarator name: (identifier) @name)) @value)
(ambient_declaration (variable_declaration (variable_declarator name: (identifier) @name)) @value)
(abstract_method_signature name: (_) @name) @function
(public_field_definition name: (_) @name) @field
(property_signature name: (_) @name) @field
(method_signature name: (_) @name) @field
"""

GRAMMARS: dict[str, Grammar] = {
    "python": Grammar(
        "tree_sitter_python",
        """
(class_definition name: (_) @name) @type
(function_definition name: (_) @name) @function
(module (expression_statement (assignment left: (identifier) @name)) @value)
(type_alias_statement left: (type (identifier) @name)) @value
(module [
  (try_statement (block (expression_statement (assignment left: (identifier) @name)) @value))
  (if_statement (block (expression_statement (assignment left: (identifier) @name)) @value))])
(class_definition body: (block (expression_statement (assignment left: (_) @name)) @field))
""",
    ),
    "cpp": Grammar(
        "tree_sitter_cpp",
        """
(class_specifier name: (_) @name body: (_)) @type
(struct_specifier name: (_) @name body: (_)) @type
(enum_specifier name: (_) @name body: (_)) @type
(type_definition
  type: [(struct_specifier body: (_)) (union_specifier body: (_)) (enum_specifier body: (_))] @type
  declarator: (type_identifier) @name)
(type_definition
  type: [(struct_specifier !body) (primitive_type) (sized_type_specifier) (type_identifier)]
  declarator: (type_identifier) @name) @value
(function_definition declarator: (function_declarator declarator: (_) @name)) @function
(function_definition
  declarator: (_ declarator: (function_declarator declarator: (_) @name))) @function
(function_definition
  declarator: (_ (function_declarator declarator: (_) @name))) @function
(function_definition
  declarator: (_ (_ (function_declarator declarator: (_) @name)))) @function
(declaration declarator: (function_declarator declarator: (identifier) @name)) @function
(declaration declarator: (_ (function_declarator declarator: (identifier) @name))) @function
(declaration declarator: (_ (_ (function_declarator declarator: (identifier) @name)))) @function
(declaration (storage_class_specifier "extern") declarator: [
  (identifier) @name (array_declarator declarator: (identifier) @name)
  (pointer_declarator declarator: (identifier) @name)]) @value
(declaration (type_qualifier) declarator: (init_declarator declarator: (identifier) @name)) @value
(field_declaration declarator: [
  (field_identifier) (pointer_declarator declarator: (field_identifier))
  (array_declarator) (reference_declarator (field_identifier))] @name) @field
(field_declaration declarator: (function_declarator declarator: (field_identifier) @name)) @function
(field_declaration
  declarator: (_ (function_declarator declarator: (field_identifier) @name))) @function
(field_declaration
  declarator: (_ (_ (function_declarator declarator: (field_identifier) @name)))) @function
(enumerator name: (_) @name) @field
(alias_declaration name: (_) @name) @value
(preproc_def name: (_) @name value: (_)) @value
(preproc_function_def name: (_) @name) @value
""",
    ),
    "java": Grammar(
        "tree_sitter_java",
        """
(class_declaration name: (_) @name) @type
(interface_declaration name: (_) @name) @type
(enum_declaration name: (_) @name) @type
(record_declaration name: (_) @name) @type
(method_declaration name: (_) @name) @function
(constructor_declaration name: (_) @name) @function
(field_declaration declarator: (variable_declarator name: (_) @name)) @field
(enum_constant name: (_) @name) @field
(record_declaration parameters: (formal_parameters (formal_parameter name: (_) @name) @function))
""",
    ),
    "php": Grammar(
        "tree_sitter_php",
        """
(class_declaration name: (_) @name) @type
(interface_declaration name: (_) @name) @type
(trait_declaration name: (_) @name) @type
(enum_declaration name: (_) @name) @type
(function_definition name: (_) @name) @function
(method_declaration name: (_) @name) @function
(property_declaration (property_element name: (_) @name)) @field
(const_declaration (const_element (name) @name)) @field
(property_promotion_parameter name: (_) @name) @field
(enum_case name: (_) @name) @field
""",
        "language_php",
    ),
    "javascript": Grammar(
        "tree_sitter_javascript",
        f"{_JAVASCRIPT}(field_definition property: (property_identifier) @name) @field",
    ),
    "typescript": Grammar("tree_sitter_typescript", _TYPESCRIPT, "language_typescript"),
    "typescriptreact": Grammar("tree_sitter_typescript", _TYPESCRIPT, "language_tsx"),
    "csharp": Grammar(
        "tree_sitter_c_sharp",
        """
(class_declaration name: (_) @name) @type
(interface_declaration name: (_) @name) @type
(struct_declaration name: (_) @name) @type
(enum_declaration name: (_) @name) @type
(record_declaration name: (_) @name) @type
(delegate_declaration name: (_) @name) @value
(method_declaration name: (_) @name) @function
(constructor_declaration name: (_) @name) @function
(property_declaration name: (_) @name) @field
(enum_member_declaration name: (_) @name) @field
(record_declaration (parameter_list (parameter name: (_) @name) @field))
(field_declaration (variable_declaration (variable_declarator name: (_) @name))) @field
""",
    ),
    "shellscript": Grammar(
        "tree_sitter_bash",
        """
(function_definition name: (_) @name) @function
(program (variable_assignment name: (_) @name) @value)
(program (declaration_command (variable_assignment name: (_) @name)) @value)
""",
    ),
    "go": Grammar(
        "tree_sitter_go",
        """
(type_spec name: (_) @name) @type
(type_alias name: (_) @name) @value
(function_declaration name: (_) @name) @function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @owner (generic_type type: (_) @owner)
    (pointer_type [(type_identifier) @owner (generic_type type: (_) @owner)])]))
  name: (_) @name) @function
(source_file (const_declaration (const_spec name: (identifier) @name) @value))
(source_file (var_declaration (var_spec name: (_) @name) @value))
(source_file (var_declaration (var_spec_list (var_spec name: (_) @name) @value)))
""",
    ),
    "rust": Grammar(
        "tree_sitter_rust",
        """
(struct_item name: (_) @name) @type
(enum_item name: (_) @name) @type
(trait_item name: (_) @name) @type
(impl_item type: (_) @name) @type
(function_item name: (_) @name) @function
(function_signature_item name: (_) @name) @function
(field_declaration name: (_) @name) @field
(enum_variant name: (_) @name) @field
(const_item name: (_) @name) @value
(static_item name: (_) @name) @value
(type_item name: (_) @name) @value
(macro_definition name: (_) @name) @value
""",
    ),
    "lua": Grammar(
        "tree_sitter_lua",
        """
(function_declaration name: (_) @name) @function
(assignment_statement
  (variable_list name: (_) @name) (expression_list value: (function_definition))) @function
""",
    ),
    "ruby": Grammar(
        "tree_sitter_ruby",
        """
(class name: (_) @name) @type
(module name: (_) @name) @type
(method name: (_) @name) @function
(singleton_method name: (_) @name) @function
(assignment left: (constant) @name) @value
(body_statement (call method: (identifier) @name) @field)
""",
    ),
}
"""By the language ids of the protocol."""

_NEAR = {"c": "cpp", "javascriptreact": "javascript", "objective-c": "cpp"}


def grammar_of(language: str) -> str:
    """The language whose grammar reads this one, its own or one near enough; "" without any."""
    language = _NEAR.get(language, language)
    return language if language in GRAMMARS else ""


def parser(language: str) -> tuple[Parser, Query]:
    """Return a language's parser and its query for definitions, for the calling thread."""
    return _parser(language, get_ident())


def parse(
    language: str, source: bytes, within_s: float = PARSE_S, old: Tree | None = None
) -> Tree | None:
    """Return the tree of a text, or None where a parser takes more of the thread's time.

    Only for a text that is read by a callback does tree-sitter ask whether to go on. Its binding
    never lets go of what the callback returns meanwhile (0.26.1), so that is one object for all.
    """
    reader, until, piece = parser(language)[0], time.thread_time() + within_s, _piece(get_ident())
    parsing = True

    def read(offset: int, _: object) -> bytes | bytearray:
        data = source[offset : offset + _PIECE]
        if not parsing:  # a node's text is asked for, which must be bytes
            return data
        piece[:] = data
        return piece

    try:
        tree: Tree = reader.parse(  # type: ignore[call-overload]  # with one old tree or none
            read,
            *([old] if old else []),
            progress_callback=lambda *_: time.thread_time() > until,
        )
    except ValueError:
        reader.reset()
        return None
    finally:
        parsing = False
    return tree


@cache
def _piece(_thread: int) -> bytearray:
    """Return the buffer through which a thread's parsers read."""
    return bytearray()


@cache
def _parser(language: str, _thread: int) -> tuple[Parser, Query]:
    grammar = GRAMMARS[language]
    made = Language(getattr(import_module(grammar.package), grammar.function)())
    return Parser(made), Query(made, grammar.query)
