//! An HTML page in one file: no script, nothing from another file, made for a phone and for paper too.

use anyhow::{Context, Result};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What the browser may load: the page itself. So neither a script nor a request to a host can come from what a
/// notebook holds.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// Writes a page beside its target and renames it, so that the target is whole at any time.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn write(target: &Path, title: &str, body: &Markup) -> Result<()> {
    let write = || -> io::Result<()> {
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let readable = fs::Permissions::from_mode(0o666); // less what the user's mask takes away
        let mut file = tempfile::Builder::new().permissions(readable).tempfile_in(folder)?;
        file.write_all(page(title, body).as_bytes())?;
        file.persist(target)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", target.display()))
}

/// A page with this title around this body.
fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Without it a browser asks the server for one.
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body { (body) }
        }
    }
    .into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_notebook_says_does_not_become_markup() {
        let page = page("<b>1 & 2</b>", &html! { p { "<script>" } });
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{page}");
        assert!(page.contains("<title>&lt;b&gt;1 &amp; 2&lt;/b&gt;</title>"), "{page}");
        assert!(page.contains("<body><p>&lt;script&gt;</p></body>"), "{page}");
    }
}
