//! The constants of a parameter cell, and other values for them.

use anyhow::{Context, Result, bail};
use std::io::Write;
use std::ops::Range;
use std::process::{Command, Stdio};
use syn::spanned::Spanned;

/// One line `const NAME: TYPE = VALUE;` of a parameter cell.
pub struct Parameter {
    /// The constant's name.
    pub name: String,
    /// Its type, as written.
    pub kind: String,
    /// Its value, as written.
    pub value: String,
    place: Range<usize>,
}

/// The constants of a parameter cell, in order.
///
/// # Errors
/// When the cell is no Rust.
pub fn list(cell: &str) -> Result<Vec<Parameter>> {
    let file: syn::File =
        syn::parse_str(cell).context("the cell tagged `parameters` holds more than Rust items")?;
    let constants = file.items.iter().filter_map(|item| match item {
        syn::Item::Const(constant) => Some(constant),
        _ => None,
    });
    Ok(constants
        .map(|constant| {
            let place = constant.expr.span().byte_range();
            Parameter {
                name: constant.ident.to_string(),
                kind: cell[constant.ty.span().byte_range()].to_owned(),
                value: cell[place.clone()].to_owned(),
                place,
            }
        })
        .collect())
}

/// Splits `NAME=VALUE`, and refuses a value that is not one Rust expression.
///
/// # Errors
/// When there is no `=`, no name, or more or less than one expression.
pub fn assignment(text: &str) -> Result<(String, String)> {
    let (name, value) = text.split_once('=').unwrap_or_default();
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || value.is_empty() {
        bail!("`-p {text}` is not NAME=VALUE");
    }
    // A comment beside the expression parses, too, but would change the line around it.
    let whole = syn::parse_str::<syn::Expr>(value)
        .is_ok_and(|expression| expression.span().byte_range() == (0..value.len()));
    if !whole {
        bail!("`{value}`, the value for {name}, is not one Rust expression");
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// The cell with another value for one constant; its type and its comment stay. `None` where it has no such constant.
///
/// # Errors
/// When the value does not fit the constant's type, in the compiler's words.
pub fn replace(cell: &str, name: &str, value: &str) -> Result<Option<String>> {
    let parameters = list(cell)?;
    let Some(parameter) = parameters.iter().find(|parameter| parameter.name == name) else {
        return Ok(None);
    };
    let mut changed = cell.to_owned();
    changed.replace_range(parameter.place.clone(), value);
    if let Some(complaint) = compile(&changed)? {
        bail!("`{value}` does not fit {name}: {}: {complaint}", parameter.kind);
    }
    Ok(Some(changed))
}

/// What the compiler has to say against the cell alone.
fn compile(cell: &str) -> Result<Option<String>> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut rustc = Command::new("rustc")
        .args([
            "-",
            "--crate-type=lib",
            "--emit=metadata",
            "--edition=2024",
            "--error-format=short",
            "-Awarnings",
            "--out-dir",
        ])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("rustc did not start")?;
    if let Some(mut input) = rustc.stdin.take() {
        input.write_all(cell.as_bytes()).context("rustc took no input")?;
    }
    let output = rustc.wait_with_output().context("rustc did not finish")?;
    if output.status.success() {
        return Ok(None);
    }
    // <anon>:1:20: error[E0308]: mismatched types: expected `usize`, found `&str`
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let first = said.lines().find_map(|line| line.split_once(": error")?.1.split_once(": "));
    let words = first.map_or(said.trim(), |(_, words)| words);
    Ok(Some(match words.split_once(": ") {
        // The compiler's label under the code may only repeat the beginning of its message.
        Some((message, label)) if message.starts_with(label) => message.to_owned(),
        _ => words.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notebook::{self, Notebook};
    use std::collections::HashSet;

    const CELL: &str = "// Sizes, in the order in which they are measured: é.
const HOLD_NS: u64 = 500; // ns of work inside the lock, 0 to 100,000
const THREADS: &[usize] = &[1, 2, 4]; // threads
const SHIFT: i32 = -3;
const SHARE: f64 = 0.5; const NAME: &str = \"a; b\";
";

    fn replaced(argument: &str) -> String {
        let (name, value) = assignment(argument).unwrap();
        replace(CELL, &name, &value).unwrap().unwrap()
    }

    fn refusal(argument: &str) -> String {
        let refused = assignment(argument).and_then(|(name, value)| replace(CELL, &name, &value));
        refused.unwrap_err().to_string()
    }

    #[test]
    fn constants_are_listed_as_written() {
        let listed = list(CELL).unwrap();
        let listed: Vec<_> = listed.iter().map(|p| [&*p.name, &*p.kind, &*p.value]).collect();
        let written = [
            ["HOLD_NS", "u64", "500"],
            ["THREADS", "&[usize]", "&[1, 2, 4]"],
            ["SHIFT", "i32", "-3"],
            ["SHARE", "f64", "0.5"],
            ["NAME", "&str", "\"a; b\""],
        ];
        assert_eq!(listed, written);
    }

    #[test]
    fn only_the_value_changes() {
        for (argument, old, new) in [
            ("HOLD_NS=2_000", "u64 = 500;", "u64 = 2_000;"),
            ("THREADS=&[1, 8]", "= &[1, 2, 4];", "= &[1, 8];"),
            ("THREADS=&[]", "= &[1, 2, 4];", "= &[];"),
            ("SHIFT = -1 + 4 ", "= -3;", "= -1 + 4;"),
            ("SHARE=1e-3", "= 0.5;", "= 1e-3;"),
            ("NAME=\"x = y // z\"", "\"a; b\";", "\"x = y // z\";"),
        ] {
            assert_eq!(replaced(argument), CELL.replace(old, new), "{argument}");
        }
    }

    #[test]
    fn an_unknown_name_changes_nothing() {
        assert_eq!(replace(CELL, "HOLD", "1").unwrap(), None);
    }

    #[test]
    fn what_is_no_assignment_is_refused() {
        for argument in ["HOLD_NS", "=3", "HOLD_NS=", ""] {
            assert_eq!(refusal(argument), format!("`-p {argument}` is not NAME=VALUE"));
        }
    }

    #[test]
    fn what_is_not_one_expression_is_refused() {
        for value in
            ["1; 2", "1;", "1 2", "1 // more", "/* less */ 1", "(1", "&[1, 2", "const", "1\"", "fn f() {}"]
        {
            let said = format!("`{value}`, the value for HOLD_NS, is not one Rust expression");
            assert_eq!(refusal(&format!("HOLD_NS={value}")), said);
        }
    }

    #[test]
    fn what_does_not_fit_the_type_is_refused_in_the_compilers_words() {
        for (argument, said) in [
            ("HOLD_NS=-1", "`-1` does not fit HOLD_NS: u64: cannot apply unary operator `-` to type `u64`"),
            (
                "HOLD_NS=\"many\"",
                "`\"many\"` does not fit HOLD_NS: u64: mismatched types: expected `u64`, found `&str`",
            ),
            ("SHIFT=3000000000", "`3000000000` does not fit SHIFT: i32: literal out of range for `i32`"),
            (
                "THREADS=[1]",
                "`[1]` does not fit THREADS: &[usize]: mismatched types: expected `&[usize]`, found `[{integer}; 1]`",
            ),
            ("SHARE=1", "`1` does not fit SHARE: f64: mismatched types: expected `f64`, found integer"),
        ] {
            assert_eq!(refusal(argument), said);
        }
    }

    #[test]
    fn a_value_of_another_type_is_refused_for_every_type_of_the_notebooks() {
        let (folder, mut kinds) = (concat!(env!("CARGO_MANIFEST_DIR"), "/../notebooks"), HashSet::new());
        for path in notebook::list(folder.as_ref()).unwrap() {
            let cell = Notebook::read(&path).unwrap().parameters();
            let parameters = list(&cell).unwrap();
            // Each type once: every value takes a call of the compiler.
            for Parameter { name, kind, .. } in parameters.iter().filter(|one| kinds.insert(one.kind.clone()))
            {
                let no_number =
                    ["-1", "1.5", "f64::NAN", "\"many\"", "100_000_000_000_000_000_000", "&[[1]]"];
                let mut values = no_number.map(String::from).to_vec();
                if kind.starts_with('&') {
                    values.iter_mut().for_each(|value| *value = format!("&[1, {value}]"));
                    values.extend(["5", "[1, 2]", "\"many\""].map(String::from));
                }
                for value in values {
                    let refused = replace(&cell, name, &value).unwrap_err().to_string();
                    let begin = format!("`{value}` does not fit {name}: {kind}: ");
                    assert!(refused.starts_with(&begin) && refused.lines().count() == 1, "{refused}");
                }
            }
        }
        assert!(kinds.len() > 2, "{kinds:?}");
    }

    #[test]
    fn a_cell_that_is_no_rust_is_refused() {
        let refused = list("let x = 1;").err().unwrap().to_string();
        assert_eq!(refused, "the cell tagged `parameters` holds more than Rust items");
    }
}
