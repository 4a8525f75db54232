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
    let Some((name, value)) = text.split_once('=') else {
        bail!("`-p {text}` is not NAME=VALUE");
    };
    let (name, value) = (name.trim(), value.trim());
    // A comment beside the expression parses, too, but would change the line around it.
    let whole = |value: &str| -> Option<()> {
        let expression: syn::Expr = syn::parse_str(value).ok()?;
        (expression.span().byte_range() == (0..value.len())).then_some(())
    };
    if whole(value).is_none() {
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
    Ok(Some(first.map_or(said.trim(), |(_, words)| words).to_owned()))
}
