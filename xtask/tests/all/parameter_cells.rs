//! The constants of the notebooks' parameter cells with the range that the comment of each states,
//! and what the other cells define and do with them.

use crate::workbench::*;
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;
use syn::spanned::Spanned;
use syn::visit::Visit;

/// A line `const NAME: KIND = VALUE; // what it is, LEAST to MOST`.
pub struct Parameter {
    pub name: String,
    pub kind: String,
    value: String,
    /// The least that the comment allows; of a list, for each element.
    pub least: Option<u64>,
    /// The most that the comment allows.
    pub most: Option<u64>,
}

impl Parameter {
    /// The line with another value, without the comment.
    pub fn line(&self, value: &str) -> String {
        format!("const {}: {} = {value};", self.name, self.kind)
    }

    pub fn is_list(&self) -> bool {
        self.kind.starts_with('&')
    }

    /// Whether the notebook leaves the choice to the machine.
    pub fn is_open(&self) -> bool {
        self.value == "&[]"
    }

    /// The least at `share` 0, the value of the notebook at 1, between them by the logarithm; of a
    /// list, the notebook's, or a short one.
    pub fn small(&self, share: f64) -> String {
        if self.is_list() {
            return if self.is_open() {
                "&[1, 2]".into()
            } else {
                self.value.clone()
            };
        }
        let value =
            number(&self.value).unwrap_or_else(|| panic!("{} is no number", self.value)) as f64;
        let least = self.least.unwrap_or(0).max(1) as f64;
        ((least * (value / least).powf(share)) as u64).to_string()
    }
}

/// A code cell, cut into what it defines and what it does.
pub struct Cell {
    pub id: String,
    pub source: String,
    /// As the notebook holds it.
    pub json: Value,
    /// Whether it is there to show an error.
    pub fails: bool,
    /// Of each item its name and its source.
    items: Vec<(String, String)>,
    pub statements: String,
    /// The variables that it declares for other cells to see.
    pub variables: HashSet<String>,
    /// The variables that it uses and does not declare, not even for a block of its own.
    pub used: HashSet<String>,
}

/// What is declared and used in a piece of code.
#[derive(Default)]
struct Variables {
    declared: HashSet<String>,
    used: HashSet<String>,
}

impl<'ast> Visit<'ast> for Variables {
    // What an item uses is its own.
    fn visit_item(&mut self, _: &'ast syn::Item) {}

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.declared.insert(pattern.ident.to_string());
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        self.used
            .extend(path.path.get_ident().map(ToString::to_string));
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        // Of the arguments those that are expressions; of the text what stands in braces.
        let parser = syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
        for argument in call.parse_body_with(parser).iter().flatten() {
            self.visit_expr(argument);
        }
        let text = call.tokens.to_string();
        let name = |rest: &str| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap()
                .into()
        };
        self.used.extend(text.split('{').skip(1).map(name));
    }
}

impl Cell {
    fn read(json: &Value) -> Self {
        let (id, source, fails) = (
            text(&json["id"]),
            text(&json["source"]),
            has_tag(json, "raises-exception"),
        );
        let block = format!("{{{source}\n}}");
        let parsed: syn::Block =
            syn::parse_str(&block).unwrap_or_else(|error| panic!("{id}: {error}"));
        let (mut items, mut statements) = (Vec::new(), String::new());
        for statement in &parsed.stmts {
            let source = &block[statement.span().byte_range()];
            match statement {
                syn::Stmt::Item(_) if !fails => items.push((item_name(source), source.into())),
                _ => statements += source,
            }
        }
        let [mut top, mut all] = [Variables::default(), Variables::default()];
        for statement in &parsed.stmts {
            all.visit_stmt(statement);
            if let syn::Stmt::Local(local) = statement {
                top.visit_pat(&local.pat);
            }
        }
        let used = all.used.difference(&all.declared).cloned().collect();
        Self {
            id,
            source,
            json: json.clone(),
            fails,
            items,
            statements,
            variables: top.declared,
            used,
        }
    }
}

/// What an item is called; what an implementation needs, its type does.
fn item_name(source: &str) -> String {
    let head: Vec<&str> = words(source.split('{').next().unwrap()).collect();
    let kind = |word: &&str| ["const", "fn", "mod", "struct", "trait", "type"].contains(word);
    head[head
        .iter()
        .position(kind)
        .map_or(head.len() - 1, |place| place + 1)]
    .into()
}

/// The names in a text; those in the text of a `println!` are among them.
fn words(source: &str) -> impl Iterator<Item = &str> {
    source
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// A notebook, cut at its parameter cell.
pub struct Parts {
    pub name: String,
    /// The sources of the code cells up to the one with the parameters, which is the last.
    pub begin: Vec<String>,
    pub parameters: Vec<Parameter>,
    pub cells: Vec<Cell>,
}

impl Parts {
    pub fn parameter_cell(&self, value: impl FnMut(&Parameter) -> String) -> String {
        let values = self.parameters.iter().map(value);
        let lines = self
            .parameters
            .iter()
            .zip(values)
            .map(|(parameter, value)| parameter.line(&value));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn items(&self) -> impl Iterator<Item = &(String, String)> {
        self.cells.iter().flat_map(|cell| &cell.items)
    }

    /// All that the cells define, in one cell: the compiler is called once.
    pub fn definitions(&self) -> String {
        self.items()
            .map(|(_, source)| source.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub fn defines(&self, name: &str) -> bool {
        self.items().any(|(item, _)| item == name)
    }

    /// The cells that do something with a parameter, themselves or through an item that needs it.
    pub fn affected(&self, parameter: &str) -> Vec<&Cell> {
        let mut names = HashSet::from([parameter.to_string()]);
        loop {
            let needs = |source: &str| words(source).any(|word| names.contains(word));
            let more: Vec<&String> = self
                .items()
                .filter(|(name, source)| needs(source) && !names.contains(name))
                .map(|(name, _)| name)
                .collect();
            if more.is_empty() {
                return self
                    .cells
                    .iter()
                    .filter(|cell| !cell.fails && needs(&cell.statements))
                    .collect();
            }
            names.extend(more.into_iter().cloned());
        }
    }
}

pub fn parts() -> Vec<Parts> {
    let parts = notebooks().into_iter().map(|path| {
        let (name, notebook) = (name(&path), read(&path));
        let cells = code_cells(&notebook);
        let place = cells.iter().position(|cell| has_tag(cell, "parameters"));
        let (begin, rest) =
            cells.split_at(1 + place.unwrap_or_else(|| panic!("{name} has no parameters")));
        let begin: Vec<String> = begin.iter().map(|cell| text(&cell["source"])).collect();
        let parameters = parse(begin.last().unwrap());
        Parts {
            name,
            begin,
            parameters,
            cells: rest.iter().map(|cell| Cell::read(cell)).collect(),
        }
    });
    parts.collect()
}

/// A notebook whose parameter cell has these values.
pub fn with_values(path: &Path, value: impl FnMut(&Parameter) -> String) -> Value {
    let mut notebook = read(path);
    let parts = parts()
        .into_iter()
        .find(|parts| parts.name == name(path))
        .unwrap();
    let cells = notebook["cells"].as_array_mut().unwrap();
    let cell = cells
        .iter_mut()
        .find(|cell| has_tag(cell, "parameters"))
        .unwrap();
    cell["source"] = parts.parameter_cell(value).into();
    notebook
}

fn parse(cell: &str) -> Vec<Parameter> {
    let parameter = |line: &str| {
        let (name, rest) = line.strip_prefix("const ")?.split_once(": ")?;
        let (kind, rest) = rest.split_once(" = ")?;
        let (value, comment) = rest.split_once("; // ")?;
        // At the end of the comment, before the experiments: `5 to 1,000`, `10,000 or more`, or
        // none.
        let [least, most] = match comment
            .split(';')
            .next()
            .unwrap()
            .split(' ')
            .collect::<Vec<_>>()[..]
        {
            [.., least, "to", most] => [number(least), number(most)],
            [.., least, "or", "more"] => [number(least), None],
            _ => [None, None],
        };
        let [name, kind, value] = [name, kind, value].map(String::from);
        Some(Parameter {
            name,
            kind,
            value,
            least,
            most,
        })
    };
    cell.lines()
        .map(|line| parameter(line).unwrap_or_else(|| panic!("not a parameter: {line}")))
        .collect()
}

fn number(text: &str) -> Option<u64> {
    text.replace([',', '_'], "").parse().ok()
}
