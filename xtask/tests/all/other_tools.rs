//! The notebooks in the hands of other tools: executed, compared, turned into text, pages and
//! slides.

use crate::parameter_cells::with_values;
use crate::workbench::*;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn call(folder: &Path, program: &[&str], files: &[impl AsRef<OsStr>]) -> String {
    progress(&format!("{program:?}"));
    let mut command = tool(program[0]);
    let output = command
        .args(&program[1..])
        .args(files)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn twins(notebook: &Value) -> Vec<String> {
    let outputs = code_cells(notebook)
        .into_iter()
        .flat_map(|cell| cell["outputs"].as_array().unwrap());
    let figures = outputs.filter(|output| output["data"].get("image/png").is_some());
    figures
        .map(|output| text(&output["data"]["text/plain"]))
        .collect()
}

/// Whatever `nbformat` finds wrong ends it, and what it would repair with a warning, too.
fn validate(paths: &[PathBuf]) {
    let script = "import json, nbformat, pathlib, sys, warnings
warnings.simplefilter('error')
for path in sys.argv[1:]: nbformat.validate(json.loads(pathlib.Path(path).read_text(encoding='utf-8')))";
    call(&root(), &["python", "-c", script], paths);
}

const NBCONVERT: &[&str] = &[
    "jupyter",
    "nbconvert",
    "--to",
    "notebook",
    "--execute",
    "--output=out",
];
const NBCLIENT: &[&str] = &["jupyter", "execute", "--output=out"];

fn execute(tool: &[&str], notebook: &Value) -> Value {
    let folder = workspace();
    let file = |name: &str| folder.path().join("notebooks").join(name);
    fs::write(file("in.ipynb"), notebook.to_string()).unwrap();
    call(&file(""), tool, &["in.ipynb"]);
    validate(&[file("out.ipynb")]);
    let executed = read(&file("out.ipynb"));
    let cells = [&executed, notebook].map(|notebook| notebook["cells"].as_array().unwrap());
    assert!(
        cells[0]
            .iter()
            .map(|cell| &cell["id"])
            .eq(cells[1].iter().map(|cell| &cell["id"])),
        "{tool:?}"
    );
    executed
}

#[test]
fn other_tools_execute_a_notebook() {
    let show = r#"println!("EVCXR_BEGIN_CONTENT image/png\nAAAA\nEVCXR_END_CONTENT");
println!("EVCXR_BEGIN_CONTENT text/plain\nhow many  {COUNT}\nEVCXR_END_CONTENT");"#;
    let parameters = cell("const COUNT: usize = 3; // how many", &["parameters"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    write(
        file.path(),
        vec![
            parameters,
            cell(show, &[]),
            cell("no_such()", &["raises-exception"]),
        ],
    );
    let notebook = read(file.path());
    for tool in [NBCONVERT, NBCLIENT] {
        assert_eq!(
            twins(&execute(tool, &notebook)),
            ["how many  3"],
            "{tool:?}"
        );
    }
}

#[test]
fn a_cell_may_ask_its_reader() {
    environment();
    // What the crate evcxr_input prints and reads.
    let ask =
        r#"println!("EVCXR_INPUT_REQUEST:name? "); std::io::stdin().lines().next().unwrap()?"#;
    let script = "import sys
from jupyter_client.manager import run_kernel
with run_kernel(kernel_name='guard-time-weigh') as client:
    answer = lambda question: client.input(question['content']['prompt'] + 'Ada')
    client.execute_interactive(sys.argv[1], stdin_hook=answer, timeout=120)";
    let said = call(&root(), &["python", "-c", script], &[ask]);
    assert!(said.trim().ends_with(r#""name? Ada""#), "{said}");
}

#[test]
#[ignore = "deep: a notebook with small values through two tools, about 2 minutes"]
fn other_tools_execute_a_whole_notebook() {
    let notebook = with_values(&notebooks()[0], |parameter| parameter.small(0.2));
    for tool in [NBCONVERT, NBCLIENT] {
        let executed = execute(tool, &notebook);
        assert_eq!(
            crate::checks::outputs(&executed),
            Vec::<String>::new(),
            "{tool:?}"
        );
        assert_eq!(twins(&executed).len(), twins(&notebook).len(), "{tool:?}");
    }
}

#[test]
fn nbdiff_of_two_runs_shows_what_was_measured() {
    let committed = &notebooks()[0];
    let executed = crate::executed::folder().join(committed.file_name().unwrap());
    let diff = call(
        &root(),
        &["nbdiff", "--no-color", "--outputs"],
        &[committed, &executed],
    );
    // A figure would be a hundred times as long.
    let longest = diff.lines().map(|line| line.chars().count()).max();
    assert!(longest.is_some_and(|length| length <= 1_000), "{longest:?}");
    let [before, after] = [committed, &executed].map(|path| twins(&read(path)).concat());
    let rows: Vec<_> = after.lines().filter(|row| !before.contains(row)).collect();
    assert!(
        !rows.is_empty(),
        "the two runs have measured the same to the last digit"
    );
    for row in rows {
        assert!(
            diff.contains(row.trim()),
            "the difference does not show: {row}"
        );
    }
}

#[test]
fn jupytext_writes_rust_and_reads_it_back_without_loss() {
    let folder = tempfile::tempdir().unwrap();
    let files = |extension: &str| -> Vec<PathBuf> {
        let files = notebooks()
            .into_iter()
            .map(|path| folder.path().join(path.file_name().unwrap()));
        files.map(|file| file.with_extension(extension)).collect()
    };
    let texts = |extension| -> Vec<String> {
        files(extension)
            .iter()
            .map(|file| fs::read_to_string(file).unwrap())
            .collect()
    };
    let jupytext = |arguments: &[&str], extension: &str| {
        call(
            folder.path(),
            &[&["jupytext"], arguments].concat(),
            &files(extension),
        );
    };
    for (path, copy) in notebooks().iter().zip(files("ipynb")) {
        fs::copy(path, copy).unwrap();
    }
    let committed = texts("ipynb");
    jupytext(&["--to", "rs:percent"], "ipynb");
    assert!(
        texts("rs")
            .iter()
            .all(|rust| rust.contains("\n// :dep helpers = "))
    );

    // Into the notebook that it came from: everything, to the byte; then an edit arrives, and
    // nothing else changes.
    let update = [
        "--update",
        "--to",
        "ipynb",
        "--update-metadata",
        "{\"jupytext\": null}",
    ];
    jupytext(&update, "rs");
    assert!(texts("ipynb") == committed, "a notebook has changed");
    for (file, rust) in files("rs").iter().zip(texts("rs")) {
        fs::write(file, rust.replacen("\n// # ", "\n// # Edited: ", 1)).unwrap();
    }
    jupytext(&update, "rs");
    let edited: Vec<String> = committed
        .iter()
        .map(|text| text.replacen("\"# ", "\"# Edited: ", 1))
        .collect();
    assert!(
        edited != committed && texts("ipynb") == edited,
        "a notebook has lost something, or not changed"
    );
}

#[test]
fn nbconvert_writes_markdown_and_slides_with_every_figure() {
    let folder = tempfile::tempdir().unwrap();
    for to in ["--to=markdown", "--to=slides"] {
        let output = format!("--output-dir={}", folder.path().display());
        call(
            folder.path(),
            &["jupyter", "nbconvert", "--no-input", to, &output],
            &notebooks(),
        );
    }
    for path in notebooks() {
        let figures = twins(&read(&path)).len();
        let file = |extension: &str| folder.path().join(format!("{}{extension}", name(&path)));
        let markdown = fs::read_to_string(file(".md")).unwrap();
        let images = fs::read_dir(file("_files"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let links =
            images.map(|image| format!("({}_files/{})", name(&path), image.to_str().unwrap()));
        assert_eq!(
            links.filter(|link| markdown.contains(link)).count(),
            figures,
            "{}",
            path.display()
        );
        let slides = fs::read_to_string(file(".slides.html")).unwrap();
        assert_eq!(
            slides.matches("src=\"data:image/png").count(),
            figures,
            "{}",
            path.display()
        );
    }
}

#[test]
fn nbconvert_makes_the_pages_of_render() {
    let folder = tempfile::tempdir().unwrap();
    let [rendered, converted] = ["rendered", "converted"].map(|name| folder.path().join(name));
    let outcome = xtask(&["render", "--output", rendered.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let output = format!("--output-dir={}", converted.display());
    let convert = ["jupyter", "nbconvert", "--to=html", &output];
    call(folder.path(), &convert, &notebooks());
    for path in notebooks() {
        let page = format!("{}.html", name(&path));
        let [one, other] = [&rendered, &converted].map(|folder| fs::read(folder.join(&page)));
        assert!(one.unwrap() == other.unwrap(), "{page} is another one");
    }
}

#[test]
fn the_committed_notebooks_are_valid_and_say_where_slides_begin() {
    validate(&notebooks());
    // A heading begins a slide; other prose, a figure and a table begin one below it.
    for path in notebooks() {
        for cell in read(&path)["cells"].as_array().unwrap() {
            let outputs = cell["outputs"].as_array();
            let shows = |kind| {
                outputs
                    .into_iter()
                    .flatten()
                    .any(|output| output["data"].get(kind).is_some())
            };
            let prose = cell["cell_type"] == "markdown";
            let heading = ["# ", "## "]
                .iter()
                .any(|start| text(&cell["source"]).starts_with(start));
            let below =
                (prose || shows("image/png") || shows("text/markdown")).then_some("subslide");
            let wanted = if prose && heading {
                Some("slide")
            } else {
                below
            };
            let found = cell["metadata"]["slideshow"]["slide_type"].as_str();
            assert_eq!(found, wanted, "{}: {}", name(&path), cell["id"]);
        }
    }
}

/// In a clone, in which they set up, measure and clear away.
#[test]
#[ignore = "deep: each command of both READMEs in a clone, about 15 minutes"]
fn the_commands_of_the_readmes_work_word_for_word() {
    let folder = tempfile::tempdir().unwrap();
    let clone = folder.path().join("clone with spaces");
    let cloned = Command::new("git")
        .args(["clone", "--quiet"])
        .arg(root())
        .arg(&clone)
        .status()
        .unwrap();
    assert!(cloned.success());
    let readme = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let commands = |text: &str| -> Vec<String> {
        let blocks = text
            .split("```sh\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap());
        blocks.flat_map(str::lines).map(String::from).collect()
    };
    let other = readme("xtask/README.md");
    let rows = other
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("| `"));
    let row = |line: &str| {
        line.split(" | ")
            .nth(1)
            .unwrap()
            .split('`')
            .skip(1)
            .step_by(2)
            .map(String::from)
            .collect()
    };
    let rows = rows.flat_map(|line| -> Vec<String> { row(line) });
    let name = &commands(&other)[0];
    let rows = rows.map(|row| format!(". .venv/bin/activate && {name} && {row}"));
    let mut all = [
        commands(&readme("README.md")),
        rows.collect(),
        commands(&other)[1..].to_vec(),
    ]
    .concat();
    let clears = all
        .iter()
        .position(|command| command.starts_with("rm "))
        .unwrap();
    let clear = all.remove(clears);
    all.push(clear);
    assert!(all.len() > 10, "{all:?}");
    for command in all
        .iter()
        .filter(|command| !command.contains("jupyter notebook"))
    {
        progress(&format!("$ {command}"));
        let mut shell = Command::new("bash");
        shell
            .current_dir(&clone)
            .env_remove("CARGO_MANIFEST_DIR")
            .env("BROWSER", "true")
            .arg("-c");
        // A server runs until it is ended.
        match command.contains("xtask lab") {
            true => shell
                .arg("timeout -k 9 90 bash -c \"$0\" 2>&1 | grep -q 'is running at'")
                .arg(command),
            false => shell.arg(command),
        };
        let ended = shell.status().unwrap();
        assert!(ended.success(), "{command}: {ended}");
    }
    assert!(!clone.join("target").exists() && !clone.join(".venv").exists());
}
